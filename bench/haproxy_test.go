package bench

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestHAProxyConfig checks what the comparison says of its configurations: default times are left out, tuned ones are in. Where
// haproxy is installed, it must accept both.
func TestHAProxyConfig(t *testing.T) {
	refs := []BackendRef{{Name: "redis1", Address: "127.0.0.1:1"}, {Name: "redis2", Address: "127.0.0.1:2"}}
	program, err := serverProgram("haproxy")
	if err != nil {
		t.Logf("the configurations are not checked by haproxy itself: %v", err)
	}
	for tuned, words := range map[bool]string{
		false: "role:master|server redis2 127.0.0.1:2 check", true: "inter 200ms|fall 2|shutdown-sessions",
	} {
		text := haproxyConfig("127.0.0.1:3", refs, tuned)
		for word := range strings.SplitSeq(words, "|") {
			if !strings.Contains(text, word) {
				t.Errorf("tuned %t: got a configuration without %q:\n%s", tuned, word, text)
			}
		}
		if got := strings.Contains(text, "inter "); got != tuned {
			t.Errorf("tuned %t: got times of its own %t", tuned, got)
		}
		if program == "" {
			continue
		}
		file := filepath.Join(t.TempDir(), "haproxy.cfg")
		check(t, os.WriteFile(file, []byte(text), 0o600))
		if out, err := exec.CommandContext(t.Context(), program, "-c", "-f", file).CombinedOutput(); err != nil {
			t.Errorf("tuned %t: %v\n%s", tuned, err, out)
		}
	}
}

// TestSentinelsKnowTheirMaster starts three, moves the master, and asks them.
func TestSentinelsKnowTheirMaster(t *testing.T) {
	p := startPair(t, PairOptions{})
	s, err := StartSentinels(t.Context(), t.TempDir(), p, 0, 0)
	check(t, err)
	t.Cleanup(func() { check(t, s.Close()) })
	if got, err := s.Master(t.Context()); err != nil || got != p.Master.Address() {
		t.Errorf("got %s, %v, want %s", got, err, p.Master.Address())
	}
	check(t, s.Failover(t.Context()))
	check(t, p.Replica.WaitRole(t.Context(), "master", servedMax))
}
