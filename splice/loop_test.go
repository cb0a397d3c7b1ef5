package splice

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// echo answers every byte on every connection it accepts, with the raw calls alone.
type echo struct {
	t        testing.TB
	loop     *Loop
	listener int
	open     int
}

func (e *echo) OnTimer(uint64) {}

func (e *echo) OnEvent(tok uint64, _ Events) {
	if tok == 0 {
		e.accept()
		return
	}
	fd := int(tok)
	for {
		n, errno := Recv(fd, e.loop.Scratch())
		if errno == syscall.EAGAIN {
			return
		}
		if n == 0 {
			CloseFD(fd)
			e.open--
			return
		}
		if sent, errno := Send(fd, e.loop.Scratch()[:n]); sent != n {
			e.t.Errorf("send: got %d of %d, %v", sent, n, errno)
		}
	}
}

func (e *echo) accept() {
	for {
		fd, errno := Accept(e.listener)
		if errno != 0 {
			return
		}
		e.open++
		if err := e.loop.Watch(fd, uint64(fd)); err != nil {
			e.t.Error(err)
		}
	}
}

func TestLoopEchoes(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		t.Run(network, func(t *testing.T) {
			listener, a := listen(t, network)
			l := newLoop(t, Options{})
			e := &echo{t: t, loop: l, listener: listener}
			if err := l.Watch(listener, 0); err != nil {
				t.Fatal(err)
			}
			run(t, l, e)
			var clients sync.WaitGroup
			for range 20 {
				c := dialNet(t, a)
				clients.Go(func() { converse(t, c) })
			}
			clients.Wait()
			closed := becomes(func() bool {
				open := -1
				onLoop(t, l, func() { open = e.open })
				return open == 0
			})
			if !closed {
				t.Error("got connections still open after their clients went away, want none")
			}
		})
	}
}

// converse sends messages of growing size and wants each of them back.
func converse(t *testing.T, c net.Conn) {
	defer c.Close()
	for size := 1; size <= 32<<10; size *= 2 {
		want := bytes.Repeat([]byte{byte(size), byte(size >> 8)}, size)
		if _, err := c.Write(want); err != nil {
			t.Error(err)
			return
		}
		got := make([]byte, len(want))
		if _, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, want) {
			t.Errorf("echo of %d bytes: got something else, %v", len(want), err)
			return
		}
	}
}

func TestPostRunsEveryFunctionOnceAndInOrder(t *testing.T) {
	const posters, each = 16, 2000
	l := newLoop(t, Options{})
	run(t, l, handler{})
	last := [posters]int{} // touched by the loop only
	var ran atomic.Int64
	var senders sync.WaitGroup
	for p := range posters {
		senders.Go(func() {
			for i := range each {
				l.Post(func() {
					if last[p] != i {
						t.Errorf("poster %d: got number %d, want %d", p, i, last[p])
					}
					last[p]++
					ran.Add(1)
				})
			}
		})
	}
	senders.Wait()
	onLoop(t, l, func() {})
	if got, want := ran.Load(), int64(posters*each); got != want {
		t.Errorf("functions run: got %d, want %d", got, want)
	}
}

// A loop that is asleep, or just falling asleep, must hear every single post. The pauses sweep over the few nanoseconds between
// its last look at the mail and its sleep.
func TestPostWakesALoopThatIsFallingAsleep(t *testing.T) {
	const posts, pauseMax = 20000, 3000
	l := newLoop(t, Options{})
	run(t, l, handler{})
	rng := rand.New(rand.NewPCG(13, 14))
	var ran atomic.Int64
	fn := func() { ran.Add(1) }
	for i := range int64(posts) {
		l.Post(fn)
		for deadline := time.Now().Add(patience); ran.Load() <= i; runtime.Gosched() {
			if time.Now().After(deadline) {
				t.Fatalf("post %d: the loop sleeps on it", i)
			}
		}
		for range rng.IntN(pauseMax) {
			ran.Load()
		}
	}
}

func TestMailboxPokesASleeperOnce(t *testing.T) {
	fd := must[int](t)(unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC))
	defer CloseFD(fd)
	m := mailbox{wakefd: fd}
	pokes := func() uint64 {
		var count [8]byte
		if _, err := unix.Read(fd, count[:]); err != nil {
			return 0
		}
		return binary.NativeEndian.Uint64(count[:])
	}
	m.post(func() {})
	if got := pokes(); got != 0 {
		t.Errorf("pokes while awake: got %d, want 0", got)
	}
	if m.fallAsleep() {
		t.Error("fall asleep over mail: got true, want false")
	}
	m.deliver()
	if !m.fallAsleep() {
		t.Error("fall asleep without mail: got false, want true")
	}
	m.post(func() {})
	m.post(func() {})
	if got := pokes(); got != 1 {
		t.Errorf("pokes for two posts while asleep: got %d, want 1", got)
	}
}

func TestPostFromTheLoopItselfIsForTheNextPass(t *testing.T) {
	l := newLoop(t, Options{})
	run(t, l, handler{})
	var order []string
	done := make(chan struct{})
	l.Post(func() {
		l.Post(func() { order = append(order, "inner"); close(done) })
		order = append(order, "outer")
	})
	receive(t, done, "the inner function")
	if want := []string{"outer", "inner"}; !slices.Equal(order, want) {
		t.Errorf("order: got %v, want %v", order, want)
	}
}

func TestAcceptedPostsRunEvenWhenTheLoopEnds(t *testing.T) {
	for range 50 {
		l := must[*Loop](t)(NewLoop(Options{}))
		ctx, cancel := context.WithCancelCause(context.Background())
		why := errors.New("enough")
		var accepted, ran atomic.Int64
		var posters sync.WaitGroup
		for range 4 {
			posters.Go(func() {
				for l.Post(func() { ran.Add(1) }) {
					accepted.Add(1)
				}
			})
		}
		l.Post(func() { cancel(why) })
		if err := l.Run(ctx, handler{}); !errors.Is(err, why) {
			t.Fatalf("Run: got %v, want %v", err, why)
		}
		posters.Wait()
		if got, want := ran.Load(), accepted.Load(); got != want {
			t.Fatalf("functions run: got %d, want %d", got, want)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		if l.Post(func() {}) {
			t.Fatal("post after the end: got true, want false")
		}
	}
}

func TestRunEndsAtOnceForAContextThatIsDone(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := newLoop(t, Options{}).Run(ctx, handler{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Run: got %v, want %v", err, context.Canceled)
	}
}

func TestDeferredComeInOrderOncePerPassAndLetOthersIn(t *testing.T) {
	l := newLoop(t, Options{})
	var got []uint64
	done := make(chan struct{})
	var posted atomic.Bool
	h := handler{event: func(tok uint64, ev Events) {
		if ev != 0 {
			t.Errorf("events of token %d: got %b, want 0", tok, ev)
		}
		got = append(got, tok)
		switch {
		case len(got) == 3:
			l.Post(func() { posted.Store(true) })
			fallthrough
		case len(got) < 9:
			l.Defer(tok)
		case len(got) == 9:
			close(done)
		}
	}}
	for tok := range uint64(3) {
		l.Defer(tok + 1)
	}
	run(t, l, h)
	receive(t, done, "the deferred")
	onLoop(t, l, func() {
		if want := []uint64{1, 2, 3, 1, 2, 3, 1, 2, 3}; !slices.Equal(got[:9], want) {
			t.Errorf("deferred: got %v, want %v", got, want)
		}
	})
	if !posted.Load() {
		t.Error("mail while tokens are deferred: got none, want it delivered")
	}
}

// What a timer or a posted function defers must not wait for the next event.
func TestDeferFromTimerAndPostDoesNotSleep(t *testing.T) {
	l := newLoop(t, Options{})
	seen := make(chan uint64, 2)
	run(t, l, handler{
		event: func(tok uint64, _ Events) { seen <- tok },
		timer: func(tok uint64) { l.Defer(tok) },
	})
	l.Post(func() { l.Defer(7) })
	if got, want := receive(t, seen, "the deferred of a post"), uint64(7); got != want {
		t.Errorf("token: got %d, want %d", got, want)
	}
	l.Post(func() { l.After(time.Millisecond, 8) })
	if got, want := receive(t, seen, "the deferred of a timer"), uint64(8); got != want {
		t.Errorf("token: got %d, want %d", got, want)
	}
}

func TestTimersAreNeverEarlyAndInOrder(t *testing.T) {
	// late is generous because the machine may be loaded; the usual lateness is about a millisecond and is logged.
	const late = 500 * time.Millisecond
	l := newLoop(t, Options{})
	type fired struct {
		tok   uint64
		after time.Duration
	}
	seen := make(chan fired, 100)
	var start time.Time
	run(t, l, handler{timer: func(tok uint64) { seen <- fired{tok, time.Since(start)} }})
	delays := []time.Duration{40, 5, 30, 0, 5, 1, 20, 10, 3, 60}
	onLoop(t, l, func() {
		start = time.Now()
		for _, d := range delays {
			l.After(d*time.Millisecond, uint64(d))
		}
	})
	slices.Sort(delays)
	var worst time.Duration
	for _, d := range delays {
		f := receive(t, seen, "a timer")
		due := d * time.Millisecond
		if got, want := f.tok, uint64(d); got != want {
			t.Errorf("token: got %d, want %d", got, want)
		}
		if f.after < due || f.after > due+late {
			t.Errorf("timer of %v: got %v", due, f.after)
		}
		worst = max(worst, f.after-due)
	}
	t.Logf("latest by %v", worst)
}

// A pass may take long. A timer set at its end counts from then, not from the time that the pass has read.
func TestTimerCountsFromTheMomentItIsSet(t *testing.T) {
	const busy, due = 30 * time.Millisecond, 10 * time.Millisecond
	l := newLoop(t, Options{})
	seen := make(chan time.Time, 1)
	run(t, l, handler{timer: func(uint64) { seen <- time.Now() }})
	var set time.Time
	onLoop(t, l, func() {
		receive(t, time.After(busy), "the end of a long callback")
		set = time.Now()
		l.After(due, 1)
	})
	if got := receive(t, seen, "the timer").Sub(set); got < due {
		t.Errorf("timer: got %v after it was set, want %v", got, due)
	}
}

func TestUnwatchedDescriptorIsSilentAndLivesOn(t *testing.T) {
	l := newLoop(t, Options{})
	seen := make(chan Events, 16)
	run(t, l, handler{event: func(_ uint64, ev Events) { seen <- ev }})
	fd, peer := link(t, "tcp")
	defer CloseFD(fd)
	onLoop(t, l, func() {
		if err := l.Watch(fd, 1); err != nil {
			t.Error(err)
		}
	})
	if got := receive(t, seen, "the first event"); got&Writable == 0 {
		t.Errorf("first event: got %b, want Writable", got)
	}
	onLoop(t, l, func() {
		if err := l.Unwatch(fd); err != nil {
			t.Error(err)
		}
	})
	if _, err := peer.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	awaitFD(t, fd, 1) // the byte is there
	onLoop(t, l, func() {})
	select {
	case ev := <-seen:
		t.Errorf("event after Unwatch: got %b, want none", ev)
	default:
	}
}

func TestEventsNameWhatHappened(t *testing.T) {
	l := newLoop(t, Options{})
	seen := make(chan Events, 16)
	run(t, l, handler{event: func(tok uint64, ev Events) {
		if tok != 1<<63|5 {
			t.Errorf("token: got %x", tok)
		}
		seen <- ev
	}})
	fd, peer := link(t, "tcp")
	defer CloseFD(fd)
	if err := l.Watch(fd, 1<<63|5); err != nil {
		t.Fatal(err)
	}
	receive(t, seen, "the first event")
	steps := []struct {
		do   func() error
		want Events
	}{
		{func() error { _, err := peer.Write([]byte("x")); return err }, Readable},
		{func() error { return peer.(*net.TCPConn).CloseWrite() }, Readable | PeerClosed},
	}
	for i, s := range steps {
		if err := s.do(); err != nil {
			t.Fatal(err)
		}
		if got := receive(t, seen, "an event"); got&s.want != s.want {
			t.Errorf("step %d: got %b, want %b", i, got, s.want)
		}
	}
}

func TestReservedTokenIsRefused(t *testing.T) {
	if err := newLoop(t, Options{}).Watch(0, ^uint64(0)); !errors.Is(err, ErrReservedToken) {
		t.Errorf("got %v, want %v", err, ErrReservedToken)
	}
}

func TestClockOfTwoLoopsAgrees(t *testing.T) {
	a, b := newLoop(t, Options{}), newLoop(t, Options{})
	if d := b.Now() - a.Now(); d < 0 || d > int64(time.Second) {
		t.Errorf("later minus earlier: got %v", time.Duration(d))
	}
}
