package bench

import (
	"context"
	"testing"
)

// TestStreamsDirectly checks the tools of the byte stream drill against each other, without a proxy.
func TestStreamsDirectly(t *testing.T) {
	s, err := newStreamServer("one")
	check(t, err)
	check(t, s.Start(t.Context()))
	defer s.Kill()
	check(t, echoStream(t.Context(), s.address, 7, 3<<20+1))
	check(t, giveStream(t.Context(), s.address, streamSize))
	check(t, await(t.Context(), streamMax, pollEvery, func(context.Context) error {
		if got := s.received(); len(got) != 1 || got[0] != streamSize {
			return errBytes
		}
		return nil
	}))
	c, err := dialStream(t.Context(), s.address)
	check(t, err)
	defer c.Close()
	for range 2 {
		if name, err := askName(c); err != nil || name != "one" {
			t.Errorf("got %q, %v, want one", name, err)
		}
	}
	check(t, s.Kill())
	if _, err := askName(c); err == nil {
		t.Error("got an answer from a killed server")
	}
	check(t, s.Start(t.Context()))
	check(t, echoStream(t.Context(), s.address, 8, 10))
}

func TestPatternShowsEveryBlock(t *testing.T) {
	a, b := pattern(1, 4096), pattern(2, 4096)
	if string(a) == string(b) || string(a[:1024]) == string(a[1024:2048]) {
		t.Error("got equal blocks, want each place and seed to differ")
	}
}
