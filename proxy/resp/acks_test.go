package resp

import "testing"

func TestAcksAtRisk(t *testing.T) {
	type step struct {
		write      bool
		taken, now uint32
	}
	for _, c := range []struct {
		name  string
		steps []step
		alive uint32
		want  int
	}{
		{"nothing", nil, 0, 0},
		{"one write is at risk", []step{{true, 10, 12}}, 0, 1},
		{"a later request proves it", []step{{true, 10, 12}, {false, 13, 14}}, 0, 0},
		{"a request taken in the same tick does not", []step{{true, 10, 12}, {false, 12, 14}}, 0, 1},
		{"an earlier request does not", []step{{true, 10, 12}, {false, 11, 14}}, 0, 1},
		{"a turn of many", []step{{true, 10, 12}, {true, 10, 12}, {true, 11, 13}, {false, 11, 13}}, 0, 3},
		{"only what came after the proof", []step{{true, 10, 12}, {true, 13, 14}, {true, 13, 14}}, 0, 2},
		{"a probe proves", []step{{true, 10, 12}, {true, 10, 20}}, 15, 1},
		{"the clock wraps", []step{{true, 0xfffffff0, 0xfffffff8}, {true, 0xfffffffa, 2}}, 0, 1},
	} {
		var a Acks
		for _, s := range c.steps {
			a.Answered(s.write, s.taken, s.now)
		}
		alive := c.alive
		if alive == 0 && len(c.steps) > 0 {
			alive = c.steps[0].taken - 1000
		}
		if got := a.AtRisk(alive); got != c.want {
			t.Errorf("%s: got %d, want %d", c.name, got, c.want)
		}
	}
}

// The reply to EXEC confirms all that its block has changed; none of the replies before it did.
func TestExecAcknowledges(t *testing.T) {
	care, _ := NewCare(nil)
	for name, want := range map[string]bool{
		"EXEC": true, "SET": true, "BLPOP": true, "EVAL": true, "MULTI": false, "GET": false, "DISCARD": false,
	} {
		if got := care.Acknowledges(Lookup([]byte(name), nil)); got != want {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
}

// After a day and a half without a reply the clock's order has turned over: what was known is too old to prove anything.
func TestAcksForgetWhatTheClockHasOvertaken(t *testing.T) {
	var a Acks
	a.Answered(true, 100, 101)
	const later = 100 + 1<<31 + 5000
	for range 3 {
		a.Answered(true, later, later+2)
	}
	if got := a.AtRisk(later - 1000); got != 3 {
		t.Errorf("got %d, want the three new writes alone", got)
	}
}

// More ticks than the ring has are merged and never forgotten.
func TestAcksBeyondTheRing(t *testing.T) {
	var a Acks
	for i := range uint32(100) {
		a.Answered(true, 5, 10+i)
	}
	if got := a.AtRisk(0); got != 100 {
		t.Errorf("got %d, want 100", got)
	}
	a.Answered(false, 200, 201)
	if got := a.AtRisk(0); got != 0 {
		t.Errorf("after the proof: got %d, want 0", got)
	}
	if got := a.All(); got != 100 {
		t.Errorf("all: got %d, want 100", got)
	}
}

// A loop that loses its processor in a pass may read late what was acknowledged after a probe that was sent meanwhile.
func TestAcksOfALongPass(t *testing.T) {
	const start, end = uint32(1_000_000), uint32(1_000_000 + 80*TicksPerMs)
	for _, c := range []struct {
		name  string
		ended uint32
		alive uint32
		want  int
	}{
		{"a probe in the middle of a long pass proves nothing", end, start + 60*TicksPerMs, 2},
		{"a probe after it does", end, end + 8*TicksPerMs, 0},
		{"a short pass is dated by its start", start + TicksPerMs, start + 8*TicksPerMs, 0},
	} {
		var a Acks
		a.Answered(true, start-8, start-4)
		a.Date(start-4, start-4)
		a.Answered(true, start-3, start)
		a.Answered(true, start-3, start)
		a.Date(start, c.ended)
		if got := a.AtRisk(c.alive); got != c.want {
			t.Errorf("%s: at risk: got %d, want %d", c.name, got, c.want)
		}
		if got := a.Since(c.alive, end+16*TicksPerMs); got != c.want {
			t.Errorf("%s: since: got %d, want %d", c.name, got, c.want)
		}
		if got := a.Since(start-10*1000*TicksPerMs, end); got != 3 {
			t.Errorf("%s: of all: got %d, want 3", c.name, got)
		}
	}
}
