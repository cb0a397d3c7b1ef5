package load

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// receiveBytes is one read. A small one would make the generator the slow part of large values.
	receiveBytes = 256 << 10
	eventsMax    = 512
	// The timer that releases scheduled requests has their distance as its period, within these bounds: below, the generator
	// would wake more often than it is of use; above, it would be slow to end.
	tickMin, tickMax = 50 * time.Microsecond, 10 * time.Millisecond
	// sweepEvery is how often what is rare is looked at: lost connections, the churn, the end of an interval.
	sweepEvery = 10 * time.Millisecond
	// expireEvery is how often all connections are looked through for requests without an answer.
	expireEvery = 100 * time.Millisecond
	// redialMin is the shortest time between two attempts of one connection, so that one that is closed at once does not spin.
	redialMin = 20 * time.Millisecond
	// dialWindow is how many connections one worker makes at a time at the beginning: below any listener's backlog.
	dialWindow = 100
	timerEvent = -1
)

// worker drives its share of the connections from one thread with one epoll set. Nothing in it is shared.
type worker struct {
	opts     Options
	to       target
	hello    []byte // AUTH and SELECT
	hellos   int    // their replies
	epoll    int
	timer    int
	links    []*link
	askers   []*link
	writer   *writer
	meter    *meter
	schedule schedule
	clock    time.Time // moments are ns since it
	buf      []byte
	events   []unix.EpollEvent
	ended    int64 // scheduled requests that have ended
	busy     int   // askers that are busy
	lost     []*link
	next     int // asker that the churn closes next
	owed     float64
	swept    int64
	expired  int64
	ticked   int64
	tick     int64 // ns, the period of the timer
	starting bool  // connections are being made, and nothing is counted
}

// roles says how many connections of each role a worker has.
type roles [idles + 1]int

func newWorker(o Options, to target, number int, share roles, m *meter, clock time.Time) *worker {
	w := &worker{
		opts: o, to: to.own(), epoll: -1, timer: -1, writer: newWriter(o, number), meter: m, clock: clock,
		buf: make([]byte, receiveBytes), events: make([]unix.EpollEvent, eventsMax),
	}
	if o.Password != "" {
		words := []string{"AUTH", o.Username, o.Password}
		if o.Username == "" {
			words = []string{"AUTH", o.Password}
		}
		w.hello, w.hellos = appendCommand(w.hello, len(words), words...), 1
	}
	if o.Database != 0 {
		w.hello = appendCommand(w.hello, 2, "SELECT", fmt.Sprint(o.Database))
		w.hellos++
	}
	for r, n := range share {
		for place := range n {
			w.links = append(w.links, &link{fd: -1, index: len(w.links), place: place, role: role(r)})
		}
	}
	w.askers = w.links[:share[asks]]
	return w
}

func (w *worker) now() int64 { return int64(time.Since(w.clock)) }

// open makes the epoll set and all connections.
func (w *worker) open(ctx context.Context) error {
	var err error
	if w.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return fmt.Errorf("make epoll set: %w", err)
	}
	if w.timer, err = unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC); err != nil {
		return fmt.Errorf("make timer: %w", err)
	}
	if err := w.watch(w.timer, timerEvent, unix.EPOLLIN); err != nil {
		return err
	}
	if err := w.setTimer(tickMax); err != nil {
		return err
	}
	w.starting = true
	limit := w.now() + int64(w.opts.Timeout)
	for begun, up := 0, 0; up < len(w.links); {
		for ; begun < len(w.links) && begun-up < dialWindow; begun++ {
			w.dial(w.links[begun], w.now())
		}
		if err := w.wait(); err != nil {
			return err
		}
		if up = w.settled(); w.now() > limit && up < len(w.links) {
			return fmt.Errorf("connect to %s: %d of %d connections within %s: %w", w.opts.Address, up, len(w.links), w.opts.Timeout, errTimeout)
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	w.starting = false
	return nil
}

// settled counts the links that are of use. A waiting one is busy by nature.
func (w *worker) settled() (n int) {
	for _, l := range w.links {
		if l.state == ready || l.state == busy {
			n++
		}
	}
	return n
}

func (w *worker) close() {
	for _, l := range w.links {
		if l.fd >= 0 {
			_ = unix.Close(l.fd)
		}
	}
	for _, fd := range []int{w.timer, w.epoll} {
		if fd >= 0 {
			_ = unix.Close(fd)
		}
	}
}

func (w *worker) watch(fd, event int, events uint32) error {
	if err := unix.EpollCtl(w.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: events, Fd: int32(event)}); err != nil {
		return fmt.Errorf("watch connection: %w", err)
	}
	return nil
}

func (w *worker) setTimer(period time.Duration) error {
	period = min(max(period, tickMin), tickMax)
	w.tick, w.ticked = int64(period), w.now()
	spec := unix.NsecToTimespec(w.tick)
	if err := unix.TimerfdSettime(w.timer, 0, &unix.ItimerSpec{Interval: spec, Value: spec}, nil); err != nil {
		return fmt.Errorf("start timer: %w", err)
	}
	return nil
}

// drive runs the schedule to its end.
func (w *worker) drive(ctx context.Context, s schedule) error {
	w.schedule = s
	w.meter.from = s.counted
	for i, l := range w.askers {
		l.total = s.of(i)
	}
	if err := w.setTimer(time.Duration(s.gap)); err != nil {
		return err
	}
	if s.closed {
		for _, l := range w.askers {
			w.feed(l, w.now())
		}
	}
	for !w.over(w.now()) && ctx.Err() == nil {
		if err := w.wait(); err != nil {
			return err
		}
	}
	w.abandon(w.now())
	return context.Cause(ctx)
}

// over tells that nothing is left to do, or that what is left has had its time.
func (w *worker) over(now int64) bool {
	s := w.schedule
	if now > s.end+int64(w.opts.Timeout) {
		return true
	}
	if s.closed {
		return now >= s.end && w.busy == 0
	}
	return w.ended == s.total
}

// wait serves the events of one wait.
func (w *worker) wait() error {
	n, err := unix.EpollWait(w.epoll, w.events, -1)
	if errors.Is(err, unix.EINTR) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("wait for replies: %w", err)
	}
	for _, event := range w.events[:n] {
		if event.Fd == timerEvent {
			w.onTick(w.now())
			continue
		}
		w.serve(w.links[event.Fd], event.Events&(unix.EPOLLRDHUP|unix.EPOLLHUP|unix.EPOLLERR) != 0)
	}
	return nil
}

// onTick releases what is due, and now and then looks after the rest.
func (w *worker) onTick(now int64) {
	var expirations [8]byte
	_, _ = unix.Read(w.timer, expirations[:]) // only silences the timer
	if !w.starting {
		w.meter.late = max(w.meter.late, now-w.ticked-w.tick)
		w.arrive(now)
	}
	w.ticked = now
	if now-w.swept >= int64(sweepEvery) {
		w.sweep(now)
	}
}
