package bench

import (
	"strings"
	"testing"
	"time"
)

func TestCounter(t *testing.T) {
	number := func(n int64) reply { return reply{kind: ':', num: n} }
	tests := []struct {
		name     string
		outcomes []Outcome // since the counter was at 5
		lost     bool
		reply    int64
		right    bool
	}{
		{"next", nil, false, 6, true},
		{"one is missing", nil, false, 5, false},
		{"one too many", nil, false, 7, false},
		{"an unknown one was executed", []Outcome{Unknown}, false, 7, true},
		{"an unknown one was not", []Outcome{Unknown}, false, 6, true},
		{"an unknown one twice", []Outcome{Unknown}, false, 8, false},
		{"a refused one was executed", []Outcome{Fail}, false, 7, false},
		{"two lost ones", []Outcome{Unknown, Hung}, true, 8, true},
		{"a wrong reply may have been a write", []Outcome{Wrong}, false, 7, true},
	}
	for _, tt := range tests {
		c := counter{seen: 5}
		for _, o := range tt.outcomes {
			c.settle(o, tt.lost)
		}
		if why := c.judge(number(tt.reply), 1).why; (why == "") != tt.right {
			t.Errorf("%s: got %q, want right %t", tt.name, why, tt.right)
		}
	}
}

// TestCounterForgetsTheUnknown checks that what a reply has explained excuses nothing later, unless its connection was
// lost: only then it may still be executed.
func TestCounterForgetsTheUnknown(t *testing.T) {
	for _, lost := range []bool{false, true} {
		c := counter{}
		c.settle(Unknown, lost)
		if why := c.judge(reply{kind: ':', num: 1}, 1).why; why != "" {
			t.Fatal(why)
		}
		if got, want := c.judge(reply{kind: ':', num: 3}, 2).why == "", lost; got != want {
			t.Errorf("lost %t: got right %t, want %t", lost, got, want)
		}
	}
}

func TestRegister(t *testing.T) {
	g := register{maybe: []int{absent}}
	g.write(0, Unknown, 1)
	g.write(1, Unknown, 2)
	if g.read(0).why != "" {
		t.Error("got wrong, want the first unknown write to be allowed")
	}
	if h := g; h.read(absent).why == "" {
		t.Error("got right, want a value to stay once it was seen")
	}
	g.write(2, OK, 3)
	g.write(3, Fail, 4)
	for id, want := range map[int]Outcome{1: Stale, 2: OK, 3: Wrong} {
		h := register{maybe: []int{g.maybe[0]}, acked: g.acked}
		if got := h.read(id); got.outcome() != want || want == Stale && got.since != 3 {
			t.Errorf("read %d: got %s since %d, want %s", id, got.outcome(), got.since, want)
		}
	}
}

func TestClassify(t *testing.T) {
	for text, want := range map[string]Outcome{
		"UNKNOWNRESULT master lost": Unknown, "TRYAGAIN failover in progress": Fail, "EXECABORT x": Fail, "ERR x": Fail,
	} {
		got, class := classify(text)
		if got != want || documented(class) != !strings.HasPrefix(text, "ERR") {
			t.Errorf("%s: got %s, class %s documented %t, want %s", text, got, class, documented(class), want)
		}
	}
}

func TestPrefixFindsHoles(t *testing.T) {
	for _, tt := range []struct {
		present []bool
		want    int
	}{{nil, 0}, {[]bool{true, true, false}, 0}, {[]bool{false, false}, 0}, {[]bool{true, false, true}, 1}, {[]bool{false, true}, 1}} {
		var v Verification
		v.prefix("list", tt.present)
		if v.Disorder != tt.want {
			t.Errorf("%v: got %d, want %d", tt.present, v.Disorder, tt.want)
		}
	}
}

// TestCounterDatesALoss checks that a lost write is reported once, with the time of the oldest that is gone.
func TestCounterDatesALoss(t *testing.T) {
	c := counter{}
	for at := range int64(5) {
		if f := c.judge(reply{kind: ':', num: at + 1}, 10*at); f.why != "" {
			t.Fatal(f.why)
		}
	}
	f := c.judge(reply{kind: ':', num: 4}, 99)
	if f.outcome() != Stale || f.since != 30 || c.gone != 2 {
		t.Errorf("got %s since %d, %d gone, want stale since 30, 2 gone", f.outcome(), f.since, c.gone)
	}
	if f := c.judge(reply{kind: ':', num: 5}, 100); f.why != "" {
		t.Errorf("got %s, want one finding", f.why)
	}
}

// TestLossAge checks that only a fault explains a loss.
func TestLossAge(t *testing.T) {
	l := NewLoad(LoadOptions{Address: "nowhere"})
	if got := l.tally.lossAge(); got != 0 {
		t.Errorf("got %s without a loss, want 0", got)
	}
	l.tally.start = l.tally.start.Add(-time.Minute)
	l.tally.lost(int64(time.Second))
	if got := l.tally.lossAge(); got < 50*time.Second {
		t.Errorf("got %s without a fault, want the age of the load", got)
	}
	l.tally.faults = []int64{int64(time.Second + 3*time.Millisecond), int64(30 * time.Second)}
	if got, want := l.tally.lossAge(), 3*time.Millisecond; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	l.tally.lost(int64(20 * time.Second))
	if got, want := l.tally.lossAge(), 10*time.Second; got != want {
		t.Errorf("got %s, want the oldest loss, %s", got, want)
	}
}
