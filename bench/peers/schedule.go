package peers

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// tickMin is the shortest period of the timer that releases scheduled requests. A shorter one would make the generator
	// wake more often than it has anything to send.
	tickMin = 50 * time.Microsecond
	// churnSilenceMax bounds one blocking read of the connection churn.
	churnSilenceMax = 10 * time.Second
)

// closed keeps every connection busy for d: the next request leaves when the reply is there. It returns the time from the
// first request to the last reply.
func (l *loader) closed(d time.Duration) (time.Duration, error) {
	start := l.now()
	until := start + int64(d)
	for i := range l.conns {
		if err := l.begin(i, l.now()); err != nil {
			return 0, err
		}
	}
	again := func(i int, now int64) error {
		if now >= until {
			return nil
		}
		return l.begin(i, now)
	}
	err := l.pump(again, nil, func() bool { return false })
	return time.Duration(l.now() - start), err
}

// count is closed for a number of commands instead of a time.
func (l *loader) count(commands int) (time.Duration, error) {
	start, left := l.now(), commands
	again := func(i int, now int64) error {
		if left <= 0 {
			return nil
		}
		left -= l.ops[l.conns[i].turn%len(l.ops)].commands
		return l.begin(i, now)
	}
	for i := range l.conns {
		if err := again(i, l.now()); err != nil {
			return 0, err
		}
	}
	err := l.pump(again, nil, func() bool { return false })
	return time.Duration(l.now() - start), err
}

// each lets every connection do exactly one operation, at most window of them at a time.
func (l *loader) each(window int) error {
	next := 0
	another := func(int, int64) error {
		if next == len(l.conns) {
			return nil
		}
		next++
		return l.begin(next-1, l.now())
	}
	for range min(window, len(l.conns)) {
		if err := another(0, 0); err != nil {
			return err
		}
	}
	return l.pump(another, nil, func() bool { return false })
}

// open sends rate requests a second for d, whatever the replies do. Request i belongs to connection i modulo their number
// and its latency counts from its scheduled moment, so a stall is charged to every request it delayed.
func (l *loader) open(d time.Duration, rate float64) error {
	gap := float64(time.Second) / rate
	total, arrived := int(d.Seconds()*rate), 0
	start := l.now()
	begun := make([]int, len(l.conns))
	next := func(i int, _ int64) error {
		if l.conns[i].due == 0 {
			return nil
		}
		l.conns[i].due--
		scheduled := start + int64(float64(begun[i]*len(l.conns)+i)*gap)
		begun[i]++
		return l.begin(i, scheduled)
	}
	tick := func(now int64) error {
		if err := l.drainTimer(); err != nil {
			return err
		}
		for ; arrived < total && start+int64(float64(arrived)*gap) <= now; arrived++ {
			i := arrived % len(l.conns)
			l.conns[i].due++
			if l.conns[i].missing > 0 {
				continue
			}
			if err := next(i, now); err != nil {
				return err
			}
		}
		return nil
	}
	if err := l.startTimer(max(time.Duration(gap), tickMin)); err != nil {
		return err
	}
	return l.pump(next, tick, func() bool { return arrived < total })
}

func (l *loader) startTimer(period time.Duration) error {
	if l.timer < 0 {
		timer, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
		if err != nil {
			return fmt.Errorf("make timer: %w", err)
		}
		l.timer = timer
		if err := l.watch(unix.EPOLL_CTL_ADD, timer, len(l.conns), unix.EPOLLIN); err != nil {
			return err
		}
	}
	spec := unix.NsecToTimespec(int64(period))
	if err := unix.TimerfdSettime(l.timer, 0, &unix.ItimerSpec{Interval: spec, Value: spec}, nil); err != nil {
		return fmt.Errorf("start timer: %w", err)
	}
	return nil
}

func (l *loader) drainTimer() error {
	var expirations [8]byte
	if _, err := unix.Read(l.timer, expirations[:]); err != nil && !errors.Is(err, unix.EAGAIN) && !errors.Is(err, unix.EINTR) {
		return fmt.Errorf("read timer: %w", err)
	}
	return nil
}

// churn connects, sends one PING, reads the reply and closes, one connection after the other, and returns how many it made.
func churn(address string, d time.Duration) (int, error) {
	limit := unix.NsecToTimeval(int64(churnSilenceMax))
	buf := make([]byte, 64)
	made := 0
	for end := time.Now().Add(d); time.Now().Before(end); made++ {
		fd, err := dialBlocking(address)
		if err != nil {
			return made, err
		}
		if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &limit); err != nil {
			_ = unix.Close(fd)
			return made, fmt.Errorf("set receive timeout: %w", err)
		}
		err = askOnce(fd, buf)
		_ = unix.Close(fd)
		if err != nil {
			return made, fmt.Errorf("ping %s on a new connection: %w", address, err)
		}
	}
	return made, nil
}

func askOnce(fd int, buf []byte) error {
	if _, err := unix.Write(fd, pingRequest); err != nil {
		return err
	}
	for {
		n, err := unix.Read(fd, buf)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return err
		case n == 0:
			return errClosed
		case string(buf[:n]) != pongReply:
			return fmt.Errorf("got %q: %w", buf[:n], errGarbled)
		}
		return nil
	}
}
