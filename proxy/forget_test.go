package proxy

import (
	"syscall"
	"testing"
	"time"
)

// forgets wants the news that everything cached may be stale, n times and nothing else.
func (c *client) forgets(n int) {
	c.t.Helper()
	for i := range n {
		if got := c.read(); !isNews(got) {
			c.t.Fatalf("news %d of %d: got %q", i+1, n, got)
		}
	}
}

func isNews(frame string) bool {
	return frame == ">[invalidate _]" || frame == "*[message __redis__:invalidate nil]"
}

// beyond is the next frame but for the news, which is told once more at some time.
func (c *client) beyond() string {
	c.t.Helper()
	for {
		if got := c.read(); !isNews(got) {
			return got
		}
	}
}

// hears wants the reply to a request, or a push if there is no request.
func (c *client) hears(want string, args ...string) {
	c.t.Helper()
	if len(args) > 0 {
		c.send(request(args...))
	}
	if got := c.beyond(); got != want {
		c.t.Fatalf("%v: got %q, want %q", args, got, want)
	}
}

// caching is a client that has asked for invalidations.
func (r *rig) caching(options ...string) *client {
	r.t.Helper()
	c := dialClient(r.t, r.addr)
	c.do("HELLO", "3")
	c.want("+OK", append([]string{"CLIENT", "TRACKING", "ON"}, options...)...)
	return c
}

// When a cut is reported, no client relies any more on what it has cached: whatever is written under the next master is
// written later. The caches here are on all loops, one in the middle of a request.
func TestCachesForgetBeforeTheNextMaster(t *testing.T) {
	r, a, _ := pair(t, nil)
	var caches []*client
	for range 6 {
		c := r.caching()
		c.want("_", "GET", "k")
		caches = append(caches, c)
	}
	caches[0].want("+OK", "MULTI")
	caches[1].send(request("BLPOP", "jobs", "0"))
	eventually(t, "it waits", func() bool { return blocked(a) == 1 })
	r.shut(1, 0)
	r.cut(1)
	for _, c := range caches {
		c.forgets(1)
	}
}

// The news is repeated before the first reply of the next master, and once more when the client has had time to put aside
// what it had read before.
func TestCacheForgetsOnceMore(t *testing.T) {
	r, a, b := pair(t, nil)
	c := r.caching()
	c.want("_", "GET", "k")
	c.send(request("BLPOP", "jobs", "0"))
	eventually(t, "it waits", func() bool { return blocked(a) == 1 })
	r.shut(1, 0)
	if err := r.Quiesce(t.Context()); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	r.failOver(2, 1, b)
	c.forgets(3)
	if waited := time.Since(began); waited < forgetAgainAfter {
		t.Errorf("told the third time after %v, want %v", waited, forgetAgainAfter)
	}
	b.do("RPUSH", "jobs", "x")
	if got := c.read(); got != "*[jobs x]" {
		t.Errorf("got %q", got)
	}
}

// A session that moves twice within that time is told once more after the second move.
func TestCacheForgetsOnceMoreAfterTheLastMove(t *testing.T) {
	r, a, b := pair(t, nil)
	c := r.caching()
	r.failOver(2, 1, b)
	c.forgets(2)
	replicate(t, b, a)
	r.failOver(3, 0, a)
	c.forgets(3)
	a.do("SET", "k", "1")
	c.hears("1", "GET", "k")
	a.do("SET", "k", "2")
	c.hears(">[invalidate *[k]]")
}

// A server ends the connection of a cache, and lives on: what changes until there is another one would be missed.
func TestCacheForgetsWhenItsConnectionAloneIsLost(t *testing.T) {
	r, a, _ := pair(t, nil)
	c := r.caching()
	c.want("_", "GET", "k")
	if got := a.do("CLIENT", "KILL", "TYPE", "normal"); got == ":0" {
		t.Fatal("nobody was killed")
	}
	c.forgets(1)
	r.confirm()
	c.forgets(1)
	c.hears("_", "GET", "k")
	a.do("SET", "k", "new")
	c.hears(">[invalidate *[k]]")
}

// A reader that had its reply from the old master is told behind that reply, however much it had not read.
func TestCacheForgetsBehindWhatItIsOwed(t *testing.T) {
	r, a, b := pair(t, nil)
	c := r.caching()
	a.do("SET", "big", repeat("x", 60_000))
	eventually(t, "the replica has it", func() bool { return len(b.do("GET", "big")) == 60_000 })
	const reads = 40
	for range reads {
		c.send(request("GET", "big"))
	}
	a.kill()
	r.failOver(2, 1, b)
	replies, news, behind := 0, 0, 0
	for news < 2 || replies < reads {
		switch got := c.read(); {
		case got == ">[invalidate _]":
			news++
		case len(got) == 60_000:
			replies++
			if news == 1 {
				behind++ // between the cut and the next master nobody may answer
			}
		default:
			t.Fatalf("got %.100q behind %d replies", got, replies)
		}
	}
	if behind > 0 {
		t.Errorf("%d replies came between the cut and the next master", behind)
	}
}

// The next master hangs while the connection is being made, and there is yet another one.
func TestCacheForgetsWhenItsConnectionIsHalfMade(t *testing.T) {
	r, a, b := pair(t, nil)
	lineages := [2]string{a.lineage(), b.lineage()}
	c := r.caching()
	c.want("_", "GET", "k")
	b.signal(syscall.SIGSTOP)
	r.shut(1, 0)
	r.cut(1)
	c.forgets(1)
	r.Publish(open(2, 1, lineages[1]))
	eventually(t, "it dials", func() bool { return r.inState(stateDialing) == 1 })
	a.do("SET", "k", "new")
	r.shut(2, 1)
	r.cut(2)
	r.Publish(open(3, 0, lineages[0]))
	c.forgets(1)
	c.hears("new", "GET", "k")
	a.do("SET", "k", "newer")
	c.hears(">[invalidate *[k]]")
	b.signal(syscall.SIGCONT)
}
