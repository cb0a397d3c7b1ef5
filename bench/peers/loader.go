package peers

import (
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"golang.org/x/sys/unix"
)

const (
	// receiveBytes is one read of the generator. A small one would make the generator, not the proxy, the slow part of bulk.
	receiveBytes = 1 << 20
	// eventsMax is how many connections one wait may report.
	eventsMax = 256
	// silenceMax is how long the whole load may stand still before the run fails.
	silenceMax = 10 * time.Second
	// yieldEvery is half of what the Go scheduler lets a goroutine run.
	yieldEvery = 5 * time.Millisecond
	// Latencies are kept from 1 ns to slowest with three digits.
	slowest, latencyDigits = 60 * time.Second, 3
)

var (
	errSilent  = errors.New("no reply for 10 s")
	errClosed  = errors.New("connection was closed in the middle of a reply")
	errGarbled = errors.New("reply has not the expected length")
)

// loader drives many connections from one thread with one epoll set, so that it costs the machine little, and each
// contender the same. A connection does one operation at a time.
//
// Invariant: busy is the number of connections with missing > 0.
type loader struct {
	epoll, timer int
	conns        []loadConn
	ops          []operation
	buf          []byte
	events       []unix.EpollEvent
	clock        time.Time // moments are nanoseconds since it
	busy         int
	commands     int
	latency      *hdrhistogram.Histogram
	yielded      int64 // when the Go scheduler last had the goroutine
}

// loadConn is one connection with the operation it is busy with.
type loadConn struct {
	fd      int
	op      *operation
	turn    int    // operations begun
	unsent  []byte // of the request
	missing int    // bytes of the reply that have not come; 0: idle
	since   int64  // the moment latency counts from
	due     int    // open loop: operations scheduled and not begun
	full    bool   // it was full once, and is watched for room since
}

// openLoader connects; close must follow.
func openLoader(address string, conns int, ops ...operation) (*loader, error) {
	l := &loader{
		epoll: -1, timer: -1, ops: ops, clock: time.Now(),
		buf: make([]byte, receiveBytes), events: make([]unix.EpollEvent, eventsMax),
		latency: hdrhistogram.New(1, int64(slowest), latencyDigits),
	}
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("make epoll set: %w", err)
	}
	l.epoll = epoll
	for i := range conns {
		if err := l.connect(address, i); err != nil {
			l.close()
			return nil, err
		}
	}
	return l, nil
}

func (l *loader) close() {
	for i := range l.conns {
		_ = unix.Close(l.conns[i].fd)
	}
	for _, fd := range []int{l.epoll, l.timer} {
		if fd >= 0 {
			_ = unix.Close(fd)
		}
	}
}

func (l *loader) connect(address string, i int) error {
	fd, err := dialBlocking(address)
	if err != nil {
		return err
	}
	// The first operations differ from connection to connection, or all would send their GET and then all their SET.
	l.conns = append(l.conns, loadConn{fd: fd, turn: i})
	if err := unix.SetNonblock(fd, true); err != nil {
		return fmt.Errorf("set connection to %s non-blocking: %w", address, err)
	}
	return l.watch(unix.EPOLL_CTL_ADD, fd, i, unix.EPOLLIN|unix.EPOLLRDHUP|unix.EPOLLET)
}

func (l *loader) watch(how, fd, index int, events uint32) error {
	if err := unix.EpollCtl(l.epoll, how, fd, &unix.EpollEvent{Events: events, Fd: int32(index)}); err != nil {
		return fmt.Errorf("watch connection %d: %w", index, err)
	}
	return nil
}

func (l *loader) now() int64 { return int64(time.Since(l.clock)) }

// forget starts the counts anew, after a warm-up.
func (l *loader) forget() {
	l.commands = 0
	l.latency.Reset()
}

// begin lets connection i do its next operation, whose latency counts from since.
func (l *loader) begin(i int, since int64) error {
	c := &l.conns[i]
	c.op = &l.ops[c.turn%len(l.ops)]
	c.turn++
	c.unsent, c.missing, c.since = c.op.request, c.op.reply, since
	l.busy++
	return l.send(i)
}

// send sends what connection i takes. Room is looked for only where it was short once: a unix socket would report it after each
// request that the proxy has read, which a client that waits for its reply does not want to be woken for.
func (l *loader) send(i int) error {
	c := &l.conns[i]
	if err := c.send(); err != nil || len(c.unsent) == 0 || c.full {
		return err
	}
	c.full = true
	return l.watch(unix.EPOLL_CTL_MOD, c.fd, i, unix.EPOLLIN|unix.EPOLLOUT|unix.EPOLLRDHUP|unix.EPOLLET)
}

// send sends what the socket takes; the rest waits for the next event.
func (c *loadConn) send() error {
	for len(c.unsent) > 0 {
		n, err := unix.Write(c.fd, c.unsent)
		switch {
		case errors.Is(err, unix.EAGAIN):
			return nil
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return fmt.Errorf("send request: %w", err)
		}
		c.unsent = c.unsent[n:]
	}
	return nil
}

// receive reads what is there and reports whether the reply is complete. Unless the peer has ended the stream, a short read
// has drained the socket, and what comes later is a new event; the end of the stream may share the event of the last bytes.
func (c *loadConn) receive(buf []byte, ended bool) (bool, error) {
	for c.missing > 0 {
		n, err := unix.Read(c.fd, buf)
		switch {
		case errors.Is(err, unix.EAGAIN):
			return false, nil
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return false, fmt.Errorf("receive reply: %w", err)
		case n == 0:
			return false, errClosed
		}
		if c.missing == c.op.reply && buf[0] == '-' {
			return false, fmt.Errorf("request was refused: %q", buf[:min(n, 100)])
		}
		c.missing -= n
		if c.missing < 0 || (c.missing == 0 && buf[n-1] != '\n') {
			return false, errGarbled
		}
		if n < len(buf) && c.missing > 0 && !ended {
			return false, nil
		}
	}
	return true, nil
}

// pump serves events until no connection is busy and more says that nothing will begin. onIdle is told of each completed
// operation, onTick of the timer.
func (l *loader) pump(onIdle func(i int, now int64) error, onTick func(now int64) error, more func() bool) error {
	for l.busy > 0 || more() {
		l.yield()
		n, err := unix.EpollWait(l.epoll, l.events, int(silenceMax/time.Millisecond))
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return fmt.Errorf("wait for replies: %w", err)
		}
		if n == 0 {
			return errSilent
		}
		for _, event := range l.events[:n] {
			i := int(event.Fd)
			if i == len(l.conns) {
				err = onTick(l.now())
			} else {
				err = l.serve(i, event.Events&(unix.EPOLLRDHUP|unix.EPOLLHUP) != 0, onIdle)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// yield lets the Go scheduler have the goroutine back now and then. Otherwise its monitor takes the generator for a hog, looks at
// it every 20 us and moves it from thread to thread, on the processors that the proxy is measured on.
func (l *loader) yield() {
	if now := l.now(); now-l.yielded > int64(yieldEvery) {
		runtime.Gosched()
		l.yielded = now
	}
}

func (l *loader) serve(i int, ended bool, onIdle func(i int, now int64) error) error {
	c := &l.conns[i]
	if err := l.send(i); err != nil {
		return err
	}
	if c.missing == 0 {
		return nil // only the news that there is room
	}
	complete, err := c.receive(l.buf, ended)
	if err != nil || !complete {
		return err
	}
	now := l.now()
	l.busy--
	l.commands += c.op.commands
	if err := l.latency.RecordValue(max(now-c.since, 1)); err != nil {
		return fmt.Errorf("record latency: %w", err)
	}
	return onIdle(i, now)
}
