package proxy

import (
	"os"
	"syscall"
	"time"

	"holdfast/splice"
)

const (
	// acceptBudget bounds the connections taken in one go, so that a storm does not starve the others.
	acceptBudget = 16
	// acceptBackoff is how long a listener rests when no descriptor is left. The kernel keeps the clients queued.
	acceptBackoff = 50 * time.Millisecond
)

type listener struct {
	fd   int
	text string
	path string // of a unix socket, removed at the end
	// resting: no descriptor was left, and a timer will try again. It belongs to the loop that watches the listener.
	// starved: that was logged; it is logged again after the next success.
	resting, starved bool
}

func (p *Pool) listen(text string) error {
	a, err := splice.ParseAddress(text)
	if err != nil {
		return err
	}
	fd, err := splice.Listen(a, p.options.ClientSocket)
	if err != nil {
		return err
	}
	l := listener{fd: fd, text: text}
	if a.IsUnix() {
		l.path = text[len("unix:"):]
	}
	p.listeners = append(p.listeners, l)
	return nil
}

func (p *Pool) closeListeners() {
	for _, l := range p.listeners {
		splice.CloseFD(l.fd)
		if l.path != "" {
			_ = os.Remove(l.path)
		}
	}
	p.listeners = nil
}

// accept takes what waits at a listener and gives each connection to the loop with the fewest.
func (w *worker) accept(tok uint64) {
	v, i := w.views[uint16(tok>>40)], uint32(tok)
	l := &v.pool.listeners[i]
	if l.resting {
		return
	}
	for range acceptBudget {
		client, errno := splice.Accept(l.fd)
		if splice.OutOfDescriptors(errno) {
			if errno = w.refuseOne(v, l.fd); errno == 0 {
				continue
			}
		}
		switch errno {
		case 0:
			l.starved = false
			w.hand(v, client)
		case syscall.EAGAIN:
			return
		case syscall.ECONNABORTED, syscall.EINTR:
		default:
			if !l.starved {
				w.proxy.log.Warn("cannot accept, trying again", "pool", v.pool.name, "listen", l.text, "err", errno.Error())
			}
			l.resting, l.starved = true, true
			w.loop.After(acceptBackoff, listenerToken(tokenAcceptAgain, v, int(i)))
			return
		}
	}
	w.loop.Defer(listenerToken(tokenListener, v, int(i)))
}

func (w *worker) acceptAgain(tok uint64) {
	w.views[uint16(tok>>40)].pool.listeners[uint32(tok)].resting = false
	w.accept(tok)
}

func (w *worker) hand(v *view, client int) {
	if w.full() {
		w.turnAway(v, client, TurnedFull)
		return
	}
	from, ok := w.proxy.crowd.enter(client)
	if !ok {
		w.turnAway(v, client, TurnedAddress)
		return
	}
	to := w.proxy.lightest(w)
	to.load.Add(1)
	if to == w {
		w.adopt(v, client, from)
		return
	}
	if !to.loop.Post(func() { to.adopt(to.views[v.pool.index], client, from) }) {
		to.load.Add(-1)
		w.proxy.crowd.leave(from)
		splice.CloseFD(client)
	}
}

// adopt makes a session of an accepted connection.
func (w *worker) adopt(v *view, client int, from *host) {
	v.accepted++
	s := w.table.get()
	s.view, s.client, s.host, s.heard = v, int32(client), from, w.clock()
	w.sweepLater()
	if !v.pool.options.Opaque {
		s.conv.Own(v.pool.ids.next())
	}
	if w.stopped {
		s.move(stateFresh)
		w.close(s, ClosedShutdown)
		return
	}
	s.move(stateFresh)
	if err := w.loop.Watch(client, s.token(tokenClient)); err != nil {
		w.close(s, ClosedByClient)
		return
	}
	if v.pool.options.Opaque {
		w.want(s) // the backend may be the one that speaks first
	}
}
