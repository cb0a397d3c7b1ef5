package bench

import (
	"strings"
	"testing"
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
		if why := c.judge(number(tt.reply)); (why == "") != tt.right {
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
		if why := c.judge(reply{kind: ':', num: 1}); why != "" {
			t.Fatal(why)
		}
		if got, want := c.judge(reply{kind: ':', num: 3}) == "", lost; got != want {
			t.Errorf("lost %t: got right %t, want %t", lost, got, want)
		}
	}
}

func TestRegister(t *testing.T) {
	g := register{maybe: []int{absent}}
	g.write(0, Unknown)
	g.write(1, Unknown)
	if !g.read(0) {
		t.Error("got wrong, want the first unknown write to be allowed")
	}
	if g.read(absent) {
		t.Error("got right, want a value to stay once it was seen")
	}
	g.write(2, OK)
	g.write(3, Fail)
	for id, want := range map[int]bool{1: false, 2: true, 3: false} {
		if got := g.read(id); got != want {
			t.Errorf("read %d: got %t, want %t", id, got, want)
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
