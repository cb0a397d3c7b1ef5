package bench

import (
	"context"
	"net"
	"strconv"
	"sync/atomic"
	"testing"
	"time"
)

func TestLoadOnAHealthyServerFindsNothing(t *testing.T) {
	p := startPair(t, PairOptions{})
	l := NewLoad(LoadOptions{Address: p.Master.Address(), Clients: 20})
	stop := startLoad(t, l)
	check(t, l.WaitServed(t.Context(), 200, 20*time.Second))
	before := l.connections()
	if got, want := l.kept(before), 20; got != want {
		t.Errorf("got %d kept connections, want %d", got, want)
	}
	stop()
	v, err := l.Verify(t.Context(), p.Master)
	check(t, err)
	n := l.Counts()
	if !v.Clean() || v.Checked < 1000 || n.Fail+n.Unknown+n.Wrong+n.Hung+n.Disconnects != 0 {
		t.Errorf("got %+v and %+v, want no finding", v, n)
	}
	check(t, p.Converged(t.Context(), p.Master, 5*time.Second))
}

// TestLoadSurvivesADirectFailover promotes by hand, as a client library with a new address would see it: connections
// break, but a drained replica has every acknowledged write.
func TestLoadSurvivesADirectFailover(t *testing.T) {
	p := startPair(t, PairOptions{})
	var address atomic.Pointer[string]
	master := p.Master.Address()
	address.Store(&master)
	l := NewLoad(LoadOptions{Clients: 20, Dial: func(ctx context.Context) (net.Conn, error) {
		return dialer(*address.Load())(ctx)
	}})
	stop := startLoad(t, l)
	check(t, l.WaitServed(t.Context(), 50, 20*time.Second))
	before := l.connections()
	l.Mark()
	l.tally.fault()
	check(t, p.Master.Kill())
	check(t, await(t.Context(), 5*time.Second, pollEvery, func(ctx context.Context) error {
		info, err := p.Replica.Info(ctx, "replication")
		if err == nil && info["master_link_status"] != "down" {
			err = errReply
		}
		return err
	}))
	_, err := p.Replica.Do(t.Context(), "REPLICAOF", "NO", "ONE")
	check(t, err)
	replica := p.Replica.Address()
	address.Store(&replica)
	check(t, l.WaitServed(t.Context(), 50, 20*time.Second))
	stop()
	v, err := l.Verify(t.Context(), p.Replica)
	check(t, err)
	n := l.Counts()
	var r Report
	atRisk := 0
	if l.tally.lossAge() < 5*time.Millisecond {
		atRisk = 50 // the last turn of the master's event loop; without a proxy nobody counts it
	}
	r.judgeLoss(n, v, l.tally.lossAge(), atRisk)
	if len(r.Broken()) > 0 || v.Duplicates+v.Phantoms+v.Disorder+v.Torn+v.Stray != 0 || n.Wrong != 0 {
		t.Errorf("got %v, %+v and %+v, want no finding", r.Promises, v, n)
	}
	if got, want := n.Disconnects, int64(20); got != want {
		t.Errorf("got %d disconnects, want %d", got, want)
	}
	if got, want := l.kept(before), 0; got != want {
		t.Errorf("got %d kept connections, want %d", got, want)
	}
	if gap := l.tally.gap(); gap < time.Millisecond || gap > 5*time.Second {
		t.Errorf("got a gap of %s, want the failover to be in it", gap)
	}
}

// TestCheckerFindsPlantedFaults breaks one promise at a time and expects the checker to say which.
func TestCheckerFindsPlantedFaults(t *testing.T) {
	const each = 17 // every 17th request of the kind in question is spoiled
	isWrite := func(req []string) bool { return req[0] == "RPUSH" || req[0] == "INCR" || req[0] == "SADD" }
	tests := []struct {
		name  string
		spoil func(int, []string, func(...string) reply) (reply, bool)
		found func(Verification, Counts) bool
	}{
		{"a write is sent twice and the second reply shown", func(n int, req []string, ask func(...string) reply) (reply, bool) {
			if n%each == 0 && isWrite(req) {
				ask(req...)
			}
			return reply{}, false
		}, func(v Verification, n Counts) bool { return v.Duplicates > 0 && n.Wrong > 0 }},
		{"a write is sent twice and the first reply shown", func(n int, req []string, ask func(...string) reply) (reply, bool) {
			if n%each != 0 || !isWrite(req) {
				return reply{}, false
			}
			rep := ask(req...)
			ask(req...)
			return rep, true
		}, func(v Verification, _ Counts) bool { return v.Duplicates > 0 }},
		{"a write is acknowledged and dropped", func(n int, req []string, _ func(...string) reply) (reply, bool) {
			return reply{kind: ':', num: 1}, n%each == 0 && req[0] == "SADD"
		}, func(v Verification, _ Counts) bool { return v.Lost > 0 }},
		{"an overwrite is acknowledged and dropped", func(n int, req []string, _ func(...string) reply) (reply, bool) {
			return reply{kind: '+', text: "OK"}, n%each == 0 && req[0] == "SET"
		}, func(v Verification, n Counts) bool { return v.Lost > 0 || n.Stale > 0 }},
		{"a write is refused and executed", func(n int, req []string, ask func(...string) reply) (reply, bool) {
			if n%each != 0 || !isWrite(req) {
				return reply{}, false
			}
			ask(req...)
			return reply{kind: '-', text: "TRYAGAIN not executed"}, true
		}, func(v Verification, n Counts) bool { return v.Phantoms > 0 && n.Errors["TRYAGAIN"] > 0 }},
		{"SELECT is forgotten", func(n int, req []string, _ func(...string) reply) (reply, bool) {
			return reply{kind: '+', text: "OK"}, n%3 == 0 && req[0] == "SELECT"
		}, func(v Verification, _ Counts) bool { return v.Stray > 0 }},
		{"the session's database is forgotten half way", func(n int, req []string, ask func(...string) reply) (reply, bool) {
			if n == 5*each {
				ask("SELECT", "0")
			}
			return reply{}, false
		}, func(v Verification, n Counts) bool { return v.Stray > 0 && n.Wrong > 0 }},
		{"the name is forgotten", func(n int, req []string, ask func(...string) reply) (reply, bool) {
			if n == 5*each {
				ask("CLIENT", "SETNAME", "somebody")
			}
			return reply{}, false
		}, func(_ Verification, n Counts) bool { return n.Wrong > 0 }},
		{"a reply of another request", func(n int, req []string, _ func(...string) reply) (reply, bool) {
			return reply{kind: '$', text: "c0-" + strconv.Itoa(n)}, n%each == 0 && req[0] == "ECHO"
		}, func(_ Verification, n Counts) bool { return n.Wrong > 0 }},
		{"half a transaction", func(n int, req []string, ask func(...string) reply) (reply, bool) {
			if n%each == 0 && req[0] == "EXEC" {
				ask("DISCARD")
				return reply{kind: '*', items: []reply{{kind: ':', num: 1}, {kind: ':', num: 1}}}, true
			}
			return reply{}, false
		}, func(_ Verification, n Counts) bool { return n.Wrong > 0 }},
		{"a failed read", func(n int, req []string, _ func(...string) reply) (reply, bool) {
			return reply{kind: '-', text: "UNKNOWNRESULT"}, n%each == 0 && req[0] == "GET"
		}, func(_ Verification, n Counts) bool { return n.ReadsFailed > 0 }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := startPair(t, PairOptions{})
			r := startRelay(t, s.Master.Address(), tt.spoil)
			l := NewLoad(LoadOptions{Address: r.ln.Addr().String(), Clients: 8, Think: time.Millisecond, Seed: 7})
			stop := startLoad(t, l)
			check(t, l.WaitServed(t.Context(), 400, 20*time.Second))
			stop()
			v, err := l.Verify(t.Context(), s.Master)
			check(t, err)
			if n := l.Counts(); !tt.found(v, n) {
				t.Errorf("got %+v and %+v, want the planted fault found", v, n)
			}
		})
	}
}

func TestHungRequestIsFound(t *testing.T) {
	p := startPair(t, PairOptions{})
	l := NewLoad(LoadOptions{Address: p.Master.Address(), Clients: 4, HungAfter: 200 * time.Millisecond})
	stop := startLoad(t, l)
	check(t, l.WaitServed(t.Context(), 20, 10*time.Second))
	check(t, p.Master.Freeze())
	check(t, await(t.Context(), 5*time.Second, pollEvery, func(context.Context) error {
		if l.Counts().Hung < 4 {
			return errReply
		}
		return nil
	}))
	check(t, p.Master.Wake())
	check(t, l.WaitServed(t.Context(), 20, 10*time.Second))
	stop()
	v, err := l.Verify(t.Context(), p.Master)
	check(t, err)
	if !v.Clean() {
		t.Errorf("got %+v, want hung writes to be counted as unknown", v)
	}
}
