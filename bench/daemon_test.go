package bench

import (
	"strings"
	"testing"
	"time"

	"github.com/BurntSushi/toml"
)

func TestDaemonConfiguration(t *testing.T) {
	o := DaemonOptions{Pool: "p", Failover: "ordered", Deny: []string{"DEBUG"}, MaxWait: 2 * time.Second,
		Backends: []BackendRef{{"a", "127.0.0.1:1"}, {"b", "127.0.0.1:2"}}}
	text := o.render("/state", "127.0.0.1:3", "127.0.0.1:4")
	var got map[string]any
	if _, err := toml.Decode(text, &got); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	pool := got["pool"].([]map[string]any)[0]
	if max := pool["hold"].(map[string]any)["max_wait"]; max != "2s" {
		t.Errorf("got max_wait %v, want 2s", max)
	}
	if n := len(pool["backends"].([]any)); n != 2 {
		t.Errorf("got %d backends, want 2", n)
	}
	for _, key := range []string{"silence", "min_gap", "protocol"} {
		if strings.Contains(text, key) {
			t.Errorf("got %s in the file, want what is not set to be left to the daemon", key)
		}
	}
}

func TestStatusNamesTheMaster(t *testing.T) {
	p := PoolStatus{Master: "b", Backends: []BackendStatus{{Name: "a", Address: "x:1"}, {Name: "b", Address: "x:2"}}}
	if got, err := p.master(); err != nil || got != "x:2" {
		t.Errorf("got %q, %v, want x:2", got, err)
	}
	if err := p.synced(); err == nil || !strings.Contains(err.Error(), "a is not in sync") {
		t.Errorf("got %v, want the replica that is behind", err)
	}
	p.Master = ""
	if _, err := p.master(); err == nil {
		t.Error("got a master, want none")
	}
}
