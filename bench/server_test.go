package bench

import (
	"errors"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestServerVerbs(t *testing.T) {
	p := startPair(t, PairOptions{})
	ctx, m := t.Context(), p.Master
	set := func(key string) {
		t.Helper()
		_, err := m.Do(ctx, "SET", key, "1")
		check(t, err)
	}
	expect := func(when, want string) {
		t.Helper()
		got, err := m.Do(ctx, "EXISTS", "old", "new")
		check(t, err)
		if got != want {
			t.Errorf("%s: got %s keys, want %s", when, got, want)
		}
	}
	set("old")
	check(t, m.Save(ctx))
	set("new")
	expect("before", "2")
	check(t, p.Replica.WaitInSync(ctx, m, 5*time.Second))
	check(t, m.RestartFromSnapshot(ctx))
	expect("from the snapshot", "1")
	check(t, m.RestartEmpty(ctx))
	expect("empty", "0")
	if err := m.RestartFromSnapshot(ctx); err == nil || !strings.Contains(err.Error(), "snapshot") {
		t.Errorf("got %v, want no snapshot to come back from", err)
	}
	check(t, m.Start(ctx))
	if err := m.Start(ctx); err == nil {
		t.Error("got a second process, want an error")
	}
	check(t, m.Terminate())
	if _, err := m.Do(ctx, "PING"); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("got %v, want a refused connection", err)
	}
	check(t, m.Start(ctx))
	if _, err := m.Do(ctx, "NOSUCH"); !errors.Is(err, errReply) {
		t.Errorf("got %v, want %v", err, errReply)
	}
}

func TestFrozenServerIsSilentAndCanBeKilled(t *testing.T) {
	p := startPair(t, PairOptions{})
	check(t, p.Master.Freeze())
	c, err := dial(t.Context(), p.Master.Address())
	check(t, err)
	defer c.Close()
	if _, err := c.do(100*time.Millisecond, "PING"); err == nil {
		t.Error("got an answer from a frozen server")
	}
	check(t, p.Master.Wake())
	_, err = p.Master.Do(t.Context(), "PING")
	check(t, err)
	check(t, p.Master.Freeze())
	check(t, p.Master.Kill())
}
