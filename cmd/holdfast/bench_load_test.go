package main

import (
	"bytes"
	"strings"
	"testing"
)

// TestBenchLoadTellsAllFaults gives several faulty flags at once.
func TestBenchLoadTellsAllFaults(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		want []string
	}{
		"no address":     {nil, []string{"ADDRESS is missing"}},
		"two addresses":  {[]string{"a:1", "b:1"}, []string{"one ADDRESS is wanted"}},
		"several faults": {[]string{"nowhere", "--mix", "lookup=1", "-o", "xml", "--rate=-1"}, []string{"nowhere", "lookup", "xml", "rate"}},
		"closed, a rate": {[]string{"127.0.0.1:1", "--closed", "--rate", "5"}, []string{"rate 5"}},
		"password file":  {[]string{"127.0.0.1:1", "--password-file", "/does/not/exist"}, []string{"/does/not/exist"}},
	} {
		var out, errs bytes.Buffer
		code := run(t.Context(), append([]string{"bench", "load"}, c.args...), strings.NewReader(""), &out, &errs)
		if code != exitUsage {
			t.Errorf("%s: got exit %d, want %d", name, code, exitUsage)
		}
		for _, want := range c.want {
			if !strings.Contains(errs.String(), want) {
				t.Errorf("%s: got %q, want it to name %q", name, errs.String(), want)
			}
		}
	}
}

// TestBenchLoadNeedsAServer names an address where nobody listens.
func TestBenchLoadNeedsAServer(t *testing.T) {
	var out, errs bytes.Buffer
	code := run(t.Context(), []string{"bench", "load", "127.0.0.1:1", "--duration", "100ms"}, strings.NewReader(""), &out, &errs)
	if code != exitFailed || !strings.Contains(errs.String(), "127.0.0.1:1") || out.Len() != 0 {
		t.Errorf("got exit %d, %q on stderr and %q on stdout, want exit %d and the address", code, errs.String(), out.String(), exitFailed)
	}
}
