package main

import (
	"bytes"
	"strings"
	"testing"
)

// TestDrillTargetNeedsConsent asks for a drill of a deployment with something missing each time. The address is that of nobody, so
// whoever gets as far as using it fails otherwise.
func TestDrillTargetNeedsConsent(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		code int
		want string
	}{
		"no pool":     {[]string{"--" + consentFlag}, exitUsage, "--pool is missing"},
		"bad order":   {[]string{"--pool", "p", "--order", "kill", "--" + consentFlag}, exitUsage, `"kill"`},
		"no consent":  {[]string{"--pool", "p"}, exitUsage, "--" + consentFlag},
		"drill names": {[]string{"--pool", "p", "--" + consentFlag, "sigkill"}, exitUsage, "exclude each other"},
		"nobody":      {[]string{"--pool", "p", "--" + consentFlag}, exitFailed, "127.0.0.1:1"},
	} {
		var out, errs bytes.Buffer
		args := append([]string{"bench", "drill", "--target", "127.0.0.1:1"}, c.args...)
		code := run(t.Context(), args, strings.NewReader(""), &out, &errs)
		if code != c.code || !strings.Contains(errs.String(), c.want) {
			t.Errorf("%s: got exit %d and %q, want exit %d and %q", name, code, errs.String(), c.code, c.want)
		}
	}
}
