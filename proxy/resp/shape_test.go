package resp

import (
	"fmt"
	"strings"
	"testing"
)

// encoded makes a request of its arguments.
func encoded(args ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "*%d\r\n", len(args))
	for _, a := range args {
		fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(a), a)
	}
	return b.String()
}

// Whatever a shape says of a request, a scan says too; and it speaks where it is meant to.
func TestShapeAgreesWithScan(t *testing.T) {
	models := []string{
		encoded("GET", "key:1"), encoded("GET", "key:2"), encoded("get", "key:1"), encoded("GET", "key:12"), encoded("DEL", "key:1"),
		encoded("SET", "key:1", "abc"), encoded("SET", "key:2", "xyz"), encoded("SET", "key:2", "wxyz"), encoded("SET", "key:2", "a\r\n$1"),
		encoded("SET", "key:2", "abc", "NX"), encoded("SET", "key:3", "abc", "XX"), encoded("SET", "key:3", "abd", "XX"),
		encoded("CLIENT", "SETNAME", "abc"), encoded("CLIENT", "GETNAME"), encoded("CLIENT", "SETINFO", "abc"),
		encoded("CONFIG", "GET", "a"), encoded("CONFIG", "SET", "a"), encoded("NOSUCH", "a"), encoded("PING"), encoded("MULTI"),
		encoded("AUTH", "abc"),
		"PING\r\n", "SET a b\r\n", encoded("GET", ""), encoded("SET", "", ""), encoded("SET", "key:1", "abc")[:28] + "abcXY",
		encoded("CLIENT", "NO-TUCH"), "*0\r\n",
	}
	fits := 0
	for _, model := range models {
		var r Request
		if _, v := r.Scan([]byte(model)); v != Whole {
			continue
		}
		shape := r.Shape()
		for _, p := range models {
			n, ok := shape.Fits([]byte(model), []byte(p+encoded("PING")))
			if !ok {
				continue
			}
			fits++
			var s Request
			if m, v := s.Scan([]byte(p)); v != Whole || m != n || s.Command() != shape.Command() {
				t.Errorf("%q after %q: got %d bytes of %v, a scan says %v, %d bytes of %v", p, model, n, shape.Command(), v, m, s.Command())
			}
		}
	}
	if fits < 20 {
		t.Errorf("got %d fits, want at least one for each request that has a shape", fits)
	}
}

func TestShapeTellsOrdinaryRequests(t *testing.T) {
	for _, row := range []struct {
		model, next string
		want        bool
	}{
		{encoded("GET", "key:1"), encoded("GET", "key:2"), true},
		{encoded("SET", "key:1", "abc"), encoded("SET", "key:2", "xyz"), true},
		{encoded("SET", "key:1", "abc"), encoded("SET", "key:2", "xy"), false},
		{encoded("SET", "key:1", "abc"), encoded("GET", "key:2"), false},
		{encoded("CLIENT", "SETNAME", "abc"), encoded("CLIENT", "SETINFO", "abc"), false},
		{encoded("SET", "key:1", "abc"), encoded("SET", "key:2", "xyz")[:30], false},
	} {
		var r Request
		r.Scan([]byte(row.model))
		shape := r.Shape()
		if _, got := shape.Fits([]byte(row.model), []byte(row.next)); got != row.want {
			t.Errorf("%q after %q: got %v, want %v", row.next, row.model, got, row.want)
		}
	}
}

func BenchmarkShape(b *testing.B) {
	var r Request
	r.Scan(benchSet)
	shape := r.Shape()
	b.ReportAllocs()
	for b.Loop() {
		if n, ok := shape.Fits(benchSet, benchSet); !ok || n != len(benchSet) {
			b.Fatal(n, ok)
		}
	}
}
