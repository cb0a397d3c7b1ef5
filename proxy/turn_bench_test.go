package proxy

import (
	"strings"
	"testing"

	"holdfast/proxy/resp"
	"holdfast/splice"
)

// bareWorker is a worker with one serving session and no descriptors, for what a turn costs outside the kernel.
func bareWorker(tb testing.TB) (*worker, *session) {
	tb.Helper()
	loop, err := splice.NewLoop(splice.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { loop.Close() })
	care, _ := resp.NewCare(nil)
	pool := &Pool{name: "p", care: care}
	pool.route.Store(&Route{Gate: GateOpen})
	w := newWorker(0, &Proxy{}, loop)
	w.addPool(pool)
	s := w.table.get()
	s.view, s.backend, s.client = w.views[0], 0, 0
	s.move(stateServing)
	return w, s
}

// turn takes the requests of a client and the replies of its backend; what would be sent is thrown away.
func (w *worker) turn(s *session, requests, replies []byte) {
	w.takeRequests(s, requests)
	w.throwAway()
	w.takeReplies(s, replies)
	w.throwAway()
	w.dateAcks()
}

func (w *worker) throwAway() {
	for i := range w.gather.parts {
		w.gather.parts[i].s.set(gathered, false)
	}
	w.gather.bytes, w.gather.parts = w.gather.bytes[:0], w.gather.parts[:0]
}

// benchTurn reports the time of a request with its reply.
func benchTurn(b *testing.B, pairs ...[2]string) {
	w, s := bareWorker(b)
	var requests, replies strings.Builder
	for _, p := range pairs {
		requests.WriteString(p[0])
		replies.WriteString(p[1])
	}
	in, out := []byte(requests.String()), []byte(replies.String())
	b.ReportAllocs()
	for b.Loop() {
		w.turn(s, in, out)
	}
	if n := s.conv.Unanswered(); n != 0 {
		b.Fatalf("got %d unanswered requests, want 0", n)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(pairs)), "ns/request")
}

var (
	pairGet = [2]string{request("GET", "key:000001"), "$100\r\n" + strings.Repeat("v", 100) + "\r\n"}
	pairSet = [2]string{request("SET", "key:000001", strings.Repeat("v", 100)), "+OK\r\n"}
)

func BenchmarkTurnGet(b *testing.B) { benchTurn(b, pairGet) }
func BenchmarkTurnSet(b *testing.B) { benchTurn(b, pairSet) }

func BenchmarkTurnPipeline(b *testing.B) {
	var pairs [][2]string
	for range 8 {
		pairs = append(pairs, pairGet, pairSet)
	}
	benchTurn(b, pairs...)
}

// BenchmarkTurnVaried has requests that are all of another length, so that each is scanned.
func BenchmarkTurnVaried(b *testing.B) {
	var pairs [][2]string
	for i := range 16 {
		pairs = append(pairs, [2]string{request("SET", strings.Repeat("k", 5+i), strings.Repeat("v", 10+7*i)), "+OK\r\n"})
	}
	benchTurn(b, pairs...)
}
