package compare

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// serverSays is an error reply as the library hands it on.
type serverSays string

func (e serverSays) Error() string { return string(e) }
func (serverSays) RedisError()     {}

// TestFailuresAreNamedAndJudged gives each failure to a client with and without retries.
func TestFailuresAreNamedAndJudged(t *testing.T) {
	refusedDial := &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	for _, c := range []struct {
		err   error
		class string
		once  state // what it proves of a request that was sent once at most
	}{
		{nil, "", acknowledged},
		{serverSays("READONLY You can't write"), "READONLY", refused},
		{serverSays("UNKNOWNRESULT the write"), "UNKNOWNRESULT", unknown},
		{fmt.Errorf("retried: %w", refusedDial), "cannot connect", refused},
		{io.EOF, "disconnected", unknown},
		{&net.OpError{Op: "read", Err: syscall.ECONNRESET}, "disconnected", unknown},
		{&net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}, "time-out", unknown},
		{&net.OpError{Op: "read", Err: net.ErrClosed}, "closed by the library", unknown},
		{errors.New("surprise"), "other", unknown},
	} {
		if got := classOf(c.err); got != c.class {
			t.Errorf("%v: got class %q, want %q", c.err, got, c.class)
		}
		once, often := &client{group: &group{}}, &client{group: &group{retry: true}}
		if got := once.judge(c.err); got != c.once {
			t.Errorf("%v: got %d without retry, want %d", c.err, got, c.once)
		}
		want := unknown
		if c.err == nil {
			want = acknowledged
		}
		if got := often.judge(c.err); got != want {
			t.Errorf("%v: got %d with retry, want %d: an earlier attempt may have been executed", c.err, got, want)
		}
	}
	var _ redis.Error = serverSays("")
}

// TestSettle counts what is lost, doubled and there against its word.
func TestSettle(t *testing.T) {
	var r GroupResult
	for _, w := range []struct {
		known state
		times int
	}{{acknowledged, 1}, {acknowledged, 0}, {acknowledged, 3}, {refused, 0}, {refused, 1}, {unknown, 0}, {unknown, 1}, {unknown, 2}} {
		r.settle(w.known, w.times)
	}
	if r.Lost != 1 || r.Duplicates != 3 || r.Phantoms != 1 || r.Unknown != 3 || r.Checked != 8 {
		t.Errorf("got %+v, want 1 lost, 3 duplicates, 1 phantom, 3 unknown of 8", r)
	}
	for _, c := range []struct{ acked, unknown, count, lost, duplicates int }{
		{10, 0, 10, 0, 0}, {10, 0, 8, 2, 0}, {10, 2, 12, 0, 0}, {10, 2, 13, 0, 1}, {0, 0, 0, 0, 0},
	} {
		var r GroupResult
		r.settleCount([refused + 1]int{unknown: c.unknown, acknowledged: c.acked}, c.count)
		if r.Lost != c.lost || r.Duplicates != c.duplicates {
			t.Errorf("%+v: got %d lost, %d duplicates", c, r.Lost, r.Duplicates)
		}
	}
}

// TestDisconnectsAreCounted ends connections from both sides.
func TestDisconnectsAreCounted(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	var c census
	connect := func() (net.Conn, net.Conn) {
		ours, err := c.dial(context.Background(), "tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		theirs, err := ln.Accept()
		if err != nil {
			t.Fatal(err)
		}
		return ours, theirs
	}
	ours, theirs := connect()
	closeAll(t, ours, theirs) // we were first
	if got := c.disconnects.Load(); got != 0 {
		t.Errorf("got %d disconnects after our own end, want 0", got)
	}
	ours, theirs = connect()
	closeAll(t, theirs)
	_, err = ours.Read(make([]byte, 1))
	closeAll(t, ours)
	if got := c.disconnects.Load(); got != 1 || !errors.Is(err, io.EOF) {
		t.Errorf("got %d disconnects and %v after the other side's end, want 1, once, and the end of the stream", got, err)
	}
	ours, theirs = connect()
	closeAll(t, theirs)
	if err := awaitPeek(ours.(*watched)); err != nil {
		t.Fatal(err)
	}
	closeAll(t, ours) // nobody had read
	if got := c.disconnects.Load(); got != 2 || c.dials.Load() != 3 {
		t.Errorf("got %d disconnects of %d, want 2 of 3", got, c.dials.Load())
	}
}

// awaitPeek returns when the end of the stream has arrived.
func awaitPeek(w *watched) error {
	for range 500 {
		if w.peerEnded() {
			return nil
		}
		if err := pause(context.Background(), time.Millisecond); err != nil {
			return err
		}
	}
	return errors.New("the end did not arrive")
}

func closeAll(t *testing.T, conns ...net.Conn) {
	t.Helper()
	for _, c := range conns {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestTape measures a gap with the fault inside, and one that never ends.
func TestTape(t *testing.T) {
	r := newRecorder()
	r.end(r.now(), true)
	r.mark()
	marked := r.markedAt()
	if err := pause(t.Context(), 60*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	r.end(marked-time.Millisecond, false)
	r.end(marked-time.Millisecond, true)
	if r.firstOK != 0 {
		t.Error("got a first success of a request that was due before the fault, want none")
	}
	r.end(marked+time.Millisecond, true)
	if r.firstOK == 0 || r.gap < 60*time.Millisecond || r.stall < 60*time.Millisecond || r.requests != 3 {
		t.Errorf("got %+v, want a gap and a stall of 60 ms and a first success", r)
	}
	if err := pause(t.Context(), 120*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	tape := r.close()
	if r.gap < 120*time.Millisecond {
		t.Errorf("got a gap of %s, want the one at the end", r.gap)
	}
	ok, failed := 0, 0
	for i := range tape.OK {
		ok, failed = ok+tape.OK[i], failed+tape.Errors[i]
	}
	if ok != 3 || failed != 1 || tape.From > 0 || tape.place(0) > 0 {
		t.Errorf("got %+v, want 3 successes and an error, and the fault at zero", tape)
	}
}

// outcome is a drill as it could have been.
func outcome(contender string, gap float64, failed, lost, risk int) Outcome {
	return Outcome{
		Fault: Kill, Contender: contender, Served: true, Verified: true, Gap: gap, Stall: gap, FirstOK: gap, LastClient: gap, ReportedRisk: risk,
		Groups: []GroupResult{
			{Clients: 5, Requests: 100, Errors: map[string]int{"READONLY": failed}, ErrorsTotal: failed, Lost: lost, Checked: 50},
			{Retry: true, Clients: 5, Requests: 100, Errors: map[string]int{}, Checked: 50},
		},
	}
}

// TestWhoIsBetterIsSaid plants an advantage of somebody else and looks for it, and for none that is noise.
func TestWhoIsBetterIsSaid(t *testing.T) {
	r := &Record{Outcomes: []Outcome{
		outcome(Holdfast, 1000, 3, 0, 0), outcome(HAProxyTuned, 1020, 0, 7, 0), outcome(HAProxyDefault, 300, 5, 0, 0),
	}}
	got := strings.Join(r.rivals(), "\n")
	for _, want := range []string{
		"kill: haproxy tuned had fewer errors without retry (0 against 3 a run).",
		"kill: haproxy default had a shorter longest gap (300 ms against 1.00 s).",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("got %q, want it to say %q", got, want)
		}
	}
	if strings.Contains(got, "lost") || strings.Contains(got, "tuned had a shorter") || strings.Contains(got, "default had fewer") {
		t.Errorf("got %q, want nothing of numbers that are worse or equal", got)
	}
	unserved := outcome(Direct, 10, 0, 0, 0)
	unserved.Served = false
	r.Outcomes = append(r.Outcomes, unserved)
	if strings.Contains(strings.Join(r.rivals(), ""), Direct) {
		t.Error("got an advantage of somebody whose clients were never served again")
	}
}

// TestRowsAddUp sums the rounds and tells the worst beside the median.
func TestRowsAddUp(t *testing.T) {
	r := &Record{Outcomes: []Outcome{outcome(Holdfast, 100, 1, 4, 3), outcome(Holdfast, 300, 2, 0, 9), outcome(Holdfast, 200, 0, 0, 0)}}
	sum, _ := r.row(Kill, Holdfast)
	cells := strings.Join(sum.cells(), "|")
	want := "holdfast|3 of 300: 3 READONLY|0 of 300|0 (30 clients)|4 of 300; 1 unreported|0 / 0|200 ms, worst 300 ms|200 ms, worst 300 ms|" +
		"200 ms, worst 300 ms|200 ms, worst 300 ms"
	if cells != want {
		t.Errorf("got %s, want %s", cells, want)
	}
	var text bytes.Buffer
	if err := r.WriteText(&text); err != nil || !strings.Contains(text.String(), "Nowhere in this run") {
		t.Errorf("got %v and %q, want to be told that nobody was better", err, text.String())
	}
}
