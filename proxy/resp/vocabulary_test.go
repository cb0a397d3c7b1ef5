package resp

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

func TestVocabulary(t *testing.T) {
	v := NewVocabulary([]Described{
		{"json.get", []string{"readonly", "module"}, true}, {"json.set", []string{"write", "module"}, true}, {"topk.info", nil, true},
		{"ft.create", []string{"module"}, false}, {"get", []string{"write"}, true}, {"client|foo", []string{"noscript"}, false},
		{"xinfo|depth", []string{"readonly"}, true}, {"client", nil, false}, {"set", []string{"readonly"}, true},
	})
	if got, want := v.Len(), 4; got != want {
		t.Errorf("got %d commands, want %d", got, want)
	}
	for request, want := range map[string]Class{
		"JSON.GET k": Read, "json.Set k v": WriteOnce, "TOPK.INFO k": WriteOnce, "ft.create i": ClassUnknown, "get k": Read,
		"client foo": ClassUnknown, "XINFO Depth k": Read, "nosuch": ClassUnknown, "set k v": Conditional, "client id": ReadLocal,
	} {
		req := reqs(request)
		var r Request
		r.Scan(req)
		if got := v.Translate(r.Command(), req).Spec().Class; got != want {
			t.Errorf("%s: got %v, want %v", request, got, want)
		}
	}
	var none *Vocabulary
	if got := none.Translate(Unknown, reqs("json.get k")); got != Unknown || none.Len() != 0 {
		t.Errorf("without a vocabulary: got %v", got)
	}
}

// A command of unknown meaning marks the connection when the server has executed it, and not before.
func TestUnknownCommandsAreNoticed(t *testing.T) {
	for _, row := range []struct{ send, reply, want string }{
		{"HIMPORT PREPARE x", "+OK|", "himport"}, {"HIMPORT PREPARE x", "-ERR unknown command|", ""}, {"Client Foo", "+OK|", "client foo"},
		{"GET a", "$-1|", ""}, {"XINFO NEW x", "*0|", ""}, {"MULTI;HIMPORT x", "+OK|+QUEUED|", ""},
		{"MULTI;HIMPORT x;EXEC", "+OK|+QUEUED|*1|+OK|", "himport"},
		{"MULTI;HIMPORT x;EXEC", "+OK|+QUEUED|*1|-ERR no|", ""}, {"HIMPORT x;RESET", "+OK|+RESET|", ""},
		{"A;B", "+OK|+OK|", "a"}, {strings.Repeat("N", 100), ":1|", strings.Repeat("n", oddMax)},
	} {
		l := newLine(t)
		l.send(row.send)
		l.reply(row.reply)
		name, _ := l.c.OddNews()
		if name != row.want || l.c.Odd() != (row.want != "") {
			t.Errorf("%s: got %q, want %q", row.send, name, row.want)
		}
		if _, again := l.c.OddNews(); again {
			t.Errorf("%s: told twice", row.send)
		}
	}
}

// What a reply proves about scripts.
func TestLessons(t *testing.T) {
	big := bytes.Repeat([]byte("x"), WholeMax)
	for _, row := range []struct{ send, reply, want string }{
		{"EVAL body 0", ":1|", "eval body"}, {"EVAL_RO body 0", "*0|", "eval_ro body"}, {"EVAL body 0", "-ERR no|", ""},
		{"EVALSHA abc 0", "+OK|", "evalsha abc"},
		{"EVALSHA abc 0", "-NOSCRIPT x|", ""}, {"SCRIPT LOAD body", "$3|abc|", "script|load body"},
		{"SCRIPT FLUSH ASYNC", "+OK|", "script|flush "},
		{"MULTI;EVAL body 0", "+OK|+QUEUED|", "eval body"}, {"SCRIPT EXISTS abc", "*1|:1|", ""}, {"GET a", "$-1|", ""},
		{"EVAL " + string(big) + " 0", "+OK|", ""},
	} {
		l := newLine(t)
		l.sendBytes(reqs(row.send))
		l.reply(row.reply)
		got := ""
		if cmd, arg, ok := l.fl.Lesson(); ok {
			got = fmt.Sprintf("%v %s", cmd, arg)
		}
		if got != row.want {
			t.Errorf("%.30s: got %q, want %q", row.send, got, row.want)
		}
	}
}
