package resp

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

// Every command of a real server is in the table, with the server's own arity and flags.
func TestTableAgreesWithServer(t *testing.T) {
	c := dialReal(t, realServer(t))
	defer c.Close()
	if _, err := c.Write([]byte("COMMAND\r\n")); err != nil {
		t.Fatal(err)
	}
	all, err := c.reply()
	if err != nil {
		t.Fatal(err)
	}
	leaves := 0
	for _, entry := range all.([]any) {
		info := entry.([]any)
		subs := info[9].([]any)
		for _, sub := range subs {
			leaves += checkSpec(t, sub.([]any))
		}
		if len(subs) == 0 {
			leaves += checkSpec(t, info)
		} else if s := Lookup([]byte(info[0].(string)), nil).Spec(); s.Flags&container == 0 {
			t.Errorf("%v: is no container in the table", info[0])
		}
	}
	if got, want := leaves, 351; got != want {
		t.Errorf("got %d commands, want %d", got, want)
	}
}

func checkSpec(t *testing.T, info []any) int {
	name, flags := info[0].(string), info[2].([]any)
	head, sub, _ := strings.Cut(name, "|")
	s := Lookup(bytes.ToUpper([]byte(head)), []byte(sub)).Spec()
	if s.Name != name {
		t.Errorf("%s: got %s", name, s.Name)
	}
	if got, want := s.Arity, info[1].(int); got != want {
		t.Errorf("%s: got arity %d, want %d", name, got, want)
	}
	for flag, label := range map[Flags]string{WriteFlag: "write", ReadFlag: "readonly", Blocking: "blocking"} {
		got, want := s.Flags&flag != 0, slices.Contains(flags, any(label))
		if got != want && name != "wait" {
			t.Errorf("%s: got %s %v, want %v", name, label, got, want)
		}
	}
	keyed := info[3].(int) != 0 || slices.Contains(flags, any("movablekeys"))
	if got := s.Flags&Keyed != 0; got != keyed {
		t.Errorf("%s: got keyed %v, want %v", name, got, keyed)
	}
	if s.Flags&WriteFlag != 0 && (s.Class == Read || s.Class == ReadLocal) {
		t.Errorf("%s: the server calls it a write, the table a %v", name, s.Class)
	}
	return 1
}

func TestTableIsFoundEntryByEntry(t *testing.T) {
	if got, want := len(table), commandCount; got != want {
		t.Fatalf("got %d entries, want %d", got, want)
	}
	for c := Command(1); int(c) < commandCount; c++ {
		name := c.Spec().Name
		head, sub, isSub := strings.Cut(name, "|")
		if len(head) > nameMax || len(sub) > nameMax {
			t.Errorf("%s: longer than nameMax", name)
		}
		got := Lookup([]byte(head), nil)
		if isSub {
			got = Lookup([]byte(strings.ToTitle(head)), []byte(strings.ToTitle(sub)))
		}
		if got != c {
			t.Errorf("%s: got %d (%v), want %d", name, got, got, c)
		}
	}
}

// The names of one container mean nothing in another, nor alone.
func TestTableKeepsContainersApart(t *testing.T) {
	known := map[string]bool{}
	for _, s := range table {
		known[s.Name] = true
	}
	for in, c := range table {
		if in != 0 && c.Flags&container == 0 {
			continue
		}
		for _, s := range table {
			head, sub, isSub := strings.Cut(s.Name, "|")
			if !isSub {
				sub = head
			}
			want, got := c.Name+"|"+sub, find(Command(in), []byte(sub)).String()
			if in == 0 {
				want = sub
			}
			if !known[want] {
				want = "unknown"
			}
			if got != want {
				t.Errorf("%s in %s: got %s, want %s", sub, c.Name, got, want)
			}
		}
	}
}

func TestTableClassCounts(t *testing.T) {
	want := map[Class]int{Read: 94, ReadLocal: 76, WriteSame: 24, WriteState: 31, WriteOnce: 47, Conditional: 8, Script: 3,
		BlockWrite: 9, BlockRead: 1, Wait: 2, SessionState: 31, Control: 43, Opaque: 3}
	got := map[Class]int{}
	for _, s := range table {
		got[s.Class]++
	}
	for class, n := range want {
		if got[class] != n {
			t.Errorf("%v: got %d, want %d", class, got[class], n)
		}
	}
}

func TestLookup(t *testing.T) {
	rows := []struct{ name, sub, want string }{
		{"get", "", "get"}, {"GeT", "x", "get"}, {"client", "REPLY", "client|reply"}, {"CLIENT", "nope", "client"},
		{"client", "", "client"}, {"client|reply", "", "unknown"}, {"reply", "", "unknown"}, {"", "", "unknown"},
		{"command", "", "command"}, {"command", "docs", "command|docs"}, {"eval\x7fro", "", "unknown"},
		{"eval_ro", "", "eval_ro"}, {"EVAL_RO", "", "eval_ro"}, {"ge\x14", "", "unknown"},
		{strings.Repeat("x", 1000), "", "unknown"}, {"script", "LOAD", "script|load"}, {"unknown", "", "unknown"},
	}
	for _, row := range rows {
		if got := Lookup([]byte(row.name), []byte(row.sub)).String(); got != row.want {
			t.Errorf("%q %q: got %s, want %s", row.name, row.sub, got, row.want)
		}
	}
	if got := Command(60000).String(); got != "unknown" {
		t.Errorf("got %s, want unknown", got)
	}
}

func TestNames(t *testing.T) {
	if got := Class(200).String() + Verdict(200).String(); got != "invalidinvalid" {
		t.Errorf("got %s", got)
	}
	for c := ClassUnknown; c <= Opaque; c++ {
		if c.String() == "" || c.String() == "invalid" {
			t.Errorf("class %d has no name", c)
		}
	}
}
