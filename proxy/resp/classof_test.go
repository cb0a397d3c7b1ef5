package resp

import (
	"bytes"
	"testing"
)

func TestClassOf(t *testing.T) {
	rows := []struct {
		line string
		want Class
	}{
		{"set k v", WriteSame}, {"SET k v EX 10", WriteSame}, {"set k v pxat 17", WriteSame}, {"set k v NX", WriteOnce},
		{"set k v ex 10 nx", WriteOnce}, {"set k v xx", WriteOnce}, {"set k v GET", WriteOnce}, {"set k v keepttl", WriteOnce},
		{"set k v ifeq old", WriteOnce}, {"set nx get", WriteSame},
		{"sort k", Read}, {"sort k by w get g", Read}, {"sort k STORE d", WriteSame},
		{"georadius k 1 2 3 m", Read}, {"georadius k 1 2 3 m storedist d", WriteSame}, {"georadiusbymember k m 3 m", Read},
		{"georadiusbymember k m 3 m store d", WriteSame},
		{"zadd k 1 m", WriteState}, {"zadd k GT CH 1 m", WriteState}, {"zadd k nx 1 m", WriteOnce}, {"zadd k lt xx 1 m", WriteOnce},
		{"zadd k ch incr 1 m", WriteOnce}, {"zadd k", WriteOnce}, {"zadd k 1 incr", WriteState},
		{"bitfield k get u8 0", Read}, {"bitfield k get u8 0 set u8 0 1", WriteState}, {"bitfield k", Read},
		{"bitfield k get u8 0 incrby u8 0 1", WriteOnce}, {"bitfield k overflow sat set u8 0 1", WriteState}, {"bitfield k what", WriteOnce},
		{"copy a b", WriteOnce}, {"copy a b db 1 REPLACE", WriteSame}, {"restore k 0 x", WriteOnce}, {"restore k 0 x replace", WriteSame},
		{"xread count 1 streams s 0", Read}, {"xread block 0 streams s $", BlockRead}, {"xread streams block 0", Read},
		{"xreadgroup group g c streams s >", WriteOnce}, {"xreadgroup group g c block 5 streams s >", BlockWrite},
		{"blpop k 0", BlockWrite}, {"get k", Read}, {"incr k", WriteOnce}, {"nope", ClassUnknown}, {"client foo", ClassUnknown},
		{"eval 'return 1' 0", Script}, {"eval \"#!lua flags=no-writes\\nreturn 1\" 0", Read}, {"fcall f 0", Script},
		{"eval \"#!lua name=x flags=allow-oom,no-writes\\nreturn 1\" 0", Read}, {"eval \"#!lua flags=allow-oom\\n\" 0", Script},
		{"eval \"#!lua\\nflags=no-writes\" 0", Script}, {"evalsha abc 0", Script}, {"eval_ro 'return 1' 0", Read},
	}
	for _, row := range rows {
		args, ok := Args([]byte(row.line+"\r\n"), nil)
		if !ok {
			t.Fatalf("%s: not a request", row.line)
		}
		if got := Lookup(args[0], args[min(1, len(args)-1)]).ClassOf(args); got != row.want {
			t.Errorf("%s: got %v, want %v", row.line, got, row.want)
		}
	}
}

// A write must never be called a read because it was cut short.
func TestClassOfWithoutArguments(t *testing.T) {
	for c := range Command(commandCount) {
		name := []byte(c.Spec().Name)
		for _, args := range [][][]byte{nil, {name}, {name, name}, {name, name, name}} {
			got := c.ClassOf(args)
			if got == Conditional && len(args) > 0 {
				t.Errorf("%s with %d arguments: got conditional", name, len(args))
			}
		}
	}
}

func TestArgs(t *testing.T) {
	rows := []struct{ in, want string }{
		{"*2\r\n$4\r\nECHO\r\n$2\r\n\r\n\r\n", "ECHO|\r\n"}, {"ECHO \"a b\" c\r\n", "ECHO|a b|c"}, {"SET k ''\n", "SET|k|"},
		{"E \"\\x41\\n\\r\\t\\b\\a\\q\\xg\\\"\" 'a\\'b\\c'\n", "E|A\n\r\t\b\aqxg\"|a'b\\c"}, {"x'y z'\r\n", "xy z"}, {"*1\r\n$0\r\n\r\n", ""},
	}
	for _, row := range rows {
		args, ok := Args([]byte(row.in), nil)
		if got := string(bytes.Join(args, []byte("|"))); !ok || got != row.want {
			t.Errorf("%q: got %q %v, want %q", row.in, got, ok, row.want)
		}
	}
	for _, in := range []string{
		"", "PING", "*1\r\n", "*1\r\n$4\r\nPING", "*1\r\n$4\r\nPINGxx", "*1\r\n$4\r\nPING\r\n+", "*1\r\n$-1\r\n",
		"'x\r\n", "*x", "*1\r\n$999999999999\r\n", "*1\r\n:4\r\n",
	} {
		if args, ok := Args([]byte(in), nil); ok {
			t.Errorf("%q: got %q, want no request", in, args)
		}
	}
}

func TestElements(t *testing.T) {
	rows := []struct{ in, want string }{
		{push, "message|ch|hi"}, {subA3, "subscribe|a|1"}, {"*0\r\n", ""}, {"*3\r\n$11\r\nunsubscribe\r\n$-1\r\n:0\r\n", "unsubscribe||0"},
		{">3\r\n+unsubscribe\r\n_\r\n:0\r\n", "unsubscribe||0"}, {"*2\r\n*-1\r\n*1\r\n$1\r\nk\r\n", "|*1\r\n$1\r\nk\r\n"}, {"~1\r\n#t\r\n", "t"},
	}
	for _, row := range rows {
		got, ok := Elements([]byte(row.in), nil)
		if got := string(bytes.Join(got, []byte("|"))); !ok || got != row.want {
			t.Errorf("%q: got %q %v, want %q", row.in, got, ok, row.want)
		}
	}
	for _, in := range []string{"", "+OK\r\n", "*-1\r\n", "*1\r\n", "*1\r\n:1\r\n:2\r\n", "*1\r\n$9\r\nx\r\n", "%1\r\n+a\r\n+b\r\n"} {
		if got, ok := Elements([]byte(in), nil); ok {
			t.Errorf("%q: got %q, want no elements", in, got)
		}
	}
	if got, _ := Elements([]byte("*2\r\n$-1\r\n$0\r\n\r\n"), nil); got[0] != nil || got[1] == nil {
		t.Errorf("got %v, want nil and an empty string", got)
	}
}
