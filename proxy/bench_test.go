package proxy

import (
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
)

// exchange sends a request of one small GET and reads its reply, without an allocation of its own.
type exchange struct {
	nc       net.Conn
	req, rep []byte
}

func newExchange(t testing.TB, addr string, pipeline int) *exchange {
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	e := &exchange{nc: nc, req: []byte(strings.Repeat(request("GET", "k"), pipeline))}
	e.rep = make([]byte, len("$5\r\nvalue\r\n")*pipeline)
	return e
}

func (e *exchange) once(t testing.TB) {
	if _, err := e.nc.Write(e.req); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(e.nc, e.rep); err != nil {
		t.Fatal(err)
	}
}

// An event costs no allocation: the control plane of Go never sees the traffic.
func TestSmallRequestsDoNotAllocate(t *testing.T) {
	s := startRedis(t)
	r := startProxy(t, nil, s)
	r.Publish(open(1, 0, s.lineage()))
	s.do("SET", "k", "value")
	for _, pipeline := range []int{1, 50} {
		e := newExchange(t, r.addr, pipeline)
		for range 100 {
			e.once(t)
		}
		if got := allocations(2000, func() { e.once(t) }); got >= 0.5 {
			t.Errorf("pipeline of %d: %v allocations a round trip", pipeline, got)
		}
		if got := string(e.rep[:11]); got != "$5\r\nvalue\r\n" {
			t.Errorf("got %q", got)
		}
	}
}

// allocations is what one of n calls costs, all goroutines together. It is testing.AllocsPerRun without its change of the number of
// processors, of which the loop needs one of its own.
func allocations(n int, call func()) float64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range n {
		call()
	}
	runtime.ReadMemStats(&after)
	return float64(after.Mallocs-before.Mallocs) / float64(n)
}

func BenchmarkGet(b *testing.B) { benchmarkGet(b, 1) }

func BenchmarkGetPipeline50(b *testing.B) { benchmarkGet(b, 50) }

func benchmarkGet(b *testing.B, pipeline int) {
	s := startRedis(b)
	s.do("SET", "k", "value")
	r := startProxy(b, nil, s)
	r.Publish(open(1, 0, s.lineage()))
	for _, way := range []struct{ name, addr string }{{"direct", s.addr}, {"proxy", r.addr}} {
		b.Run(way.name, func(b *testing.B) {
			e := newExchange(b, way.addr, pipeline)
			e.once(b)
			b.ReportAllocs()
			for b.Loop() {
				e.once(b)
			}
		})
	}
}

func BenchmarkLargeGet(b *testing.B) {
	s := startRedis(b)
	const size = 8 << 20
	s.do("SET", "k", repeat("x", size))
	r := startProxy(b, nil, s)
	r.Publish(open(1, 0, s.lineage()))
	for _, way := range []struct{ name, addr string }{{"direct", s.addr}, {"proxy", r.addr}} {
		b.Run(way.name, func(b *testing.B) {
			e := newExchange(b, way.addr, 1)
			e.rep = make([]byte, len("$8388608\r\n\r\n")+size)
			b.SetBytes(size)
			for b.Loop() {
				e.once(b)
			}
		})
	}
}
