package resp

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// What Simple takes, Scan takes as the same frame.
func TestSimpleAgreesWithScan(t *testing.T) {
	check := func(p []byte) bool {
		n := Simple(p)
		if n == 0 {
			return false
		}
		var r Reply
		if m, v := r.Scan(p); v != Whole || m != n || r.First() != p[0] {
			t.Fatalf("%.60q: got %d bytes, a scan says %v, %d bytes", p, n, v, m)
		}
		return true
	}
	for _, p := range []string{
		"+OK\r\n", ":1000\r\n", "$0\r\n\r\n", "$3\r\nabc\r\n", "+\r\n", "$1\r\na\r\n$1\r\n",
		"$65526\r\n" + strings.Repeat("x", 65526) + "\r\n",
	} {
		if !check([]byte(p)) {
			t.Errorf("%.60q: not taken", p)
		}
	}
	for _, p := range []string{
		"", "+", "+OK", "+OK\r", "+OK\n", "-ERR\r\n", "$-1\r\n", "$03\r\nabc\r\n",
		"$3\r\nabcd\r\n", "$3\r\nab\r\n", "$\r\n\r\n", "$3\rxabc\r\n", "*0\r\n", "_\r\n",
		"$65527\r\n" + strings.Repeat("x", 65527) + "\r\n",
	} {
		if check([]byte(p)) {
			t.Errorf("%.60q: taken", p)
		}
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	const letters = "$$+:0123\r\n\r\na"
	for range 200_000 {
		p := make([]byte, rnd.IntN(12))
		for i := range p {
			p[i] = letters[rnd.IntN(len(letters))]
		}
		check(p)
	}
}

func BenchmarkSimple(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if Simple(benchValue) != len(benchValue) {
			b.Fatal("not taken")
		}
	}
}
