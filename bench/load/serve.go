package load

import (
	"fmt"
	"strconv"

	"golang.org/x/sys/unix"
)

// dial begins a connection of l.
func (w *worker) dial(l *link, now int64) {
	l.dialed = now
	l.dials++
	fd, err := w.to.connect()
	if err != nil {
		w.lose(l, err, now)
		return
	}
	l.fd = fd
	l.become(dialing, now)
	if err := w.watch(fd, l.index, unix.EPOLLIN|unix.EPOLLOUT|unix.EPOLLRDHUP|unix.EPOLLET); err != nil {
		w.lose(l, err, now)
	}
}

// serve acts on what happened to a connection.
func (w *worker) serve(l *link, ended bool) {
	now := w.now()
	if l.state == dialing {
		if err := socketError(l.fd); err != nil {
			w.lose(l, err, now)
			return
		}
		w.greet(l, now)
	}
	err := l.send()
	if err == nil || ended { // replies may be there although the request could not be sent
		if received := l.receive(w.buf, ended, func(data []byte) error { return w.take(l, data) }); received != nil {
			err = received
		}
	}
	if err != nil && l.state != down {
		w.lose(l, err, w.now())
	}
}

// greet says who we are and, on a connection with a role of its own, what for.
func (w *worker) greet(l *link, now int64) {
	l.out = append(l.out[:0], w.hello...)
	l.missing = w.hellos
	switch l.role {
	case subscribes:
		l.out = appendCommand(l.out, 2, "SUBSCRIBE", channel)
		l.missing++
	case idles:
		l.out = appendCommand(l.out, 1, "PING") // a proxy may connect to its backend only now
		l.missing++
	}
	l.unsent, l.failure = l.out, ""
	l.scan.begin()
	if l.missing > 0 {
		l.become(greeting, now)
		return
	}
	w.settle(l, now)
}

// settle makes a connection of use that owes no reply.
func (w *worker) settle(l *link, now int64) {
	l.become(ready, now)
	if l.churned {
		w.meter.connects.record(now - l.dialed)
		l.churned = false
	}
	switch {
	case l.role == waitsJobs:
		w.await(l, now)
	case l.role != asks || w.starting:
	case l.retire:
		w.replace(l, now)
	default:
		w.feed(l, now)
	}
}

// await asks for the next job.
func (w *worker) await(l *link, now int64) {
	l.out = appendCommand(l.out[:0], 3, "BLPOP", prefix+"jobs:"+strconv.Itoa(l.place), "0")
	l.unsent, l.missing = l.out, 1
	l.scan.begin()
	l.become(busy, now)
	w.push(l, now)
}

// ask sends the next request of the mix.
func (w *worker) ask(l *link, due, now int64) {
	l.out, l.request = w.writer.next(l.out[:0], due)
	l.unsent, l.missing, l.due, l.failure = l.out, l.request.replies, due, ""
	l.scan.begin()
	l.become(busy, now)
	w.busy++
	w.push(l, now)
}

func (w *worker) push(l *link, now int64) {
	if err := l.send(); err != nil {
		w.lose(l, err, now)
	}
}

// take reads replies out of a piece of the stream.
func (w *worker) take(l *link, data []byte) error {
	for len(data) > 0 {
		rest, complete, err := l.scan.next(data)
		if err != nil {
			return err
		}
		data = rest
		if !complete {
			return nil
		}
		if l.missing == 0 && l.role != subscribes {
			return fmt.Errorf("%w: a reply that nobody asked for", errGarbled)
		}
		if class := l.scan.class(); class != "" && l.failure == "" {
			l.failure = class
		}
		this := l.dials
		w.reply(l)
		if l.state == down || l.dials != this {
			return nil
		}
	}
	return nil
}

// reply acts on one whole reply.
func (w *worker) reply(l *link) {
	now := w.now()
	if l.missing == 0 || l.role == waitsJobs && l.state == busy {
		w.delivered(l, now)
	}
	l.scan.begin()
	if l.missing == 0 {
		return
	}
	l.missing--
	if l.missing > 0 {
		return
	}
	switch {
	case l.state == greeting && l.failure != "":
		w.lose(l, fmt.Errorf("%w: -%s", errEnded, l.failure), now)
		return
	case l.state == busy && l.role == asks:
		w.finish(l, now)
	}
	w.settle(l, now)
}

// delivered notes what has come from another connection.
func (w *worker) delivered(l *link, now int64) {
	due, ok := l.scan.stamp()
	if !ok {
		return
	}
	if l.role == subscribes {
		w.meter.deliver(byMessage, due, now)
	} else {
		w.meter.deliver(byJob, due, now)
	}
}

// finish counts the request that was answered.
func (w *worker) finish(l *link, now int64) {
	w.busy--
	w.ended++
	if l.failure != "" {
		w.meter.fail(l.request.kind, l.failure, l.due, now)
		return
	}
	w.meter.answer(l.request, l.due, now)
}

// lose ends a connection that failed, and with it what cannot be answered any more.
func (w *worker) lose(l *link, err error, now int64) {
	class, was := classOf(err), l.state
	if l.failure != "" && was == greeting {
		class = l.failure
	}
	w.lost = append(w.lost, l)
	l.hangUp(now)
	if w.starting {
		return
	}
	if was > dialing {
		w.meter.disconnects++
	}
	switch {
	case l.role == idles && was > dialing:
		w.meter.idleLost++
	case l.role != asks:
	case was == busy:
		w.busy--
		w.ended++
		w.meter.fail(l.request.kind, class, l.due, now)
	case was < ready: // it could not be made, so what is due on it cannot be sent
		w.refuse(l, class, now)
	}
}

// replace closes a connection and makes it again, for the churn.
func (w *worker) replace(l *link, now int64) {
	l.hangUp(now)
	w.meter.replaced++
	l.churned = true
	w.dial(l, now)
}
