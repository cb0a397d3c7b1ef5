package load

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// role is what a connection is there for.
type role uint8

const (
	asks       role = iota // sends the scheduled requests
	waitsJobs              // repeats BLPOP
	subscribes             // reads messages
	idles                  // says nothing after its first PING
)

// linkState is how far a connection is.
//
//	down -> dialing -> greeting -> ready <-> busy
//	  ^        |          |          |        |
//	  +--------+----------+----------+--------+
//
// Only become writes it.
type linkState uint8

const (
	down     linkState = iota // no socket
	dialing                   // the socket is not connected yet
	greeting                  // AUTH, SELECT and the words of its role are unanswered
	ready                     // nothing is unanswered
	busy                      // a request is unanswered
)

// link is one connection, which does one request at a time.
//
// Invariant: missing > 0 in greeting and busy, and only there; fd < 0 when down, and only then.
type link struct {
	fd      int
	index   int // in worker.links
	place   int // among the links of its role
	role    role
	state   linkState
	out     []byte // the bytes of the last request; unsent is the end of it
	unsent  []byte
	scan    scanner
	missing int // replies
	failure string
	request request
	due     int64 // of the request; when it was sent, for one that nobody scheduled
	asked   int64 // when the state was entered
	dialed  int64 // when the socket was made
	dials   int   // sockets made so far: a number may come back for the next one
	begun   int64 // scheduled requests that were begun or given up
	total   int64 // scheduled requests
	retire  bool  // close it after its answer, for the churn
	churned bool  // this connection replaces a retired one
}

// become enters a state.
func (l *link) become(next linkState, now int64) {
	l.state, l.asked = next, now
}

// send sends what the socket takes; the rest waits for the next event.
func (l *link) send() error {
	for len(l.unsent) > 0 {
		n, err := unix.Write(l.fd, l.unsent)
		switch {
		case errors.Is(err, unix.EAGAIN):
			return nil
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return fmt.Errorf("send request: %w", err)
		}
		l.unsent = l.unsent[n:]
	}
	return nil
}

// receive reads what is there and passes each piece to take. Unless the peer has ended, a short read has drained the socket,
// and what comes later is a new event. It ends early when take has closed or replaced the connection.
func (l *link) receive(buf []byte, ended bool, take func([]byte) error) error {
	for this := l.dials; l.fd >= 0 && l.dials == this; {
		n, err := unix.Read(l.fd, buf)
		switch {
		case errors.Is(err, unix.EAGAIN):
			return nil
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return fmt.Errorf("receive reply: %w", err)
		case n == 0:
			return errEnded
		}
		if err := take(buf[:n]); err != nil {
			return err
		}
		if n < len(buf) && !ended {
			return nil
		}
	}
	return nil
}

// hangUp closes the socket.
func (l *link) hangUp(now int64) {
	if l.fd >= 0 {
		_ = unix.Close(l.fd) // there is nobody to tell
	}
	l.fd, l.unsent, l.missing, l.retire = -1, nil, 0, false
	l.become(down, now)
}
