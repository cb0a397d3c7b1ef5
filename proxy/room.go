package proxy

import (
	"syscall"
	"time"

	"holdfast/splice"
)

// TurnReason says why a connection was refused before it became a session.
type TurnReason uint8

const (
	TurnedFull        TurnReason = iota // as many clients as there may be
	TurnedAddress                       // as many clients of one address as there may be
	TurnedDescriptors                   // no descriptor was left
	turnReasonCount
)

var turnReasonNames = [turnReasonCount]string{"clients-max", "clients-per-address", "descriptors"}

func (r TurnReason) String() string { return turnReasonNames[r] }

// fullText is what Redis says, so that client libraries know it.
const fullText = "-ERR max number of clients reached\r\n"

const (
	// crowdedAt is the part of the clients' limit, in percent, from which on the log warns: early enough to act, late enough
	// to be no habit.
	crowdedAt = 80
	// calmAt ends the state; below crowdedAt, so that a number that swings around it is told once.
	calmAt = 70
	// noteEvery is how often one kind of hostile client may be logged: whoever sends garbage must not fill the disk.
	noteEvery = time.Minute
)

// full says that no more clients may come, and warns before it is so.
func (w *worker) full() bool {
	p, n := w.proxy, int64(0)
	for _, each := range p.workers {
		n += each.load.Load()
	}
	switch {
	case n*100 < p.clientsMax*calmAt:
		if p.crowded.Load() {
			p.crowded.Store(false)
		}
	case (n+1)*100 >= p.clientsMax*crowdedAt && p.crowded.CompareAndSwap(false, true):
		p.log.Warn("the clients come near their limit; raise LimitNOFILE and proxy.clients_max, or find out who connects",
			"clients", n+1, "limit", p.clientsMax)
	}
	return n >= p.clientsMax
}

// turnAway tells a connection that there is no room, and ends it.
func (w *worker) turnAway(v *view, client int, why TurnReason) {
	v.turned[why]++
	if missed, due := v.turnedNote.due(w.loop.Now()); due {
		address, _ := splice.PeerIP(client)
		w.proxy.log.Warn("connections are turned away", "pool", v.pool.name, "reason", why.String(), "address", address.String(),
			"not_logged", missed)
	}
	if !v.pool.options.Opaque {
		_, _ = splice.Send(client, []byte(fullText))
	}
	splice.CloseFD(client)
}

// refuseOne takes a connection with the spare descriptor and turns it away. Its error is that of accepting: EAGAIN when
// nobody waits, and EMFILE when the spare one is gone, too, so that the listener has to rest.
func (w *worker) refuseOne(v *view, listener int) syscall.Errno {
	if !w.spareFD.Give() {
		w.spareFD.Take()
		return syscall.EMFILE
	}
	client, errno := splice.Accept(listener)
	if errno == 0 {
		w.turnAway(v, client, TurnedDescriptors)
	}
	w.spareFD.Take()
	return errno
}

// rarely lets one of many equal messages through.
type rarely struct {
	next   int64 // ns of the loop's clock from which on the next message may go out
	missed uint64
}

// due says whether a message may go out now, and how many did not since the last one.
func (r *rarely) due(now int64) (missed uint64, ok bool) {
	if now < r.next {
		r.missed++
		return 0, false
	}
	missed = r.missed
	r.next, r.missed = now+int64(noteEvery), 0
	return missed, true
}

// noteForeign logs a client that speaks HTTP or TLS: a browser that was led here, a scanner, or a wrong setting.
func (w *worker) noteForeign(s *session) {
	if missed, due := s.view.foreignNote.due(w.loop.Now()); due {
		address, _ := splice.PeerIP(int(s.client))
		w.proxy.log.Warn("a client speaks HTTP or TLS to a Redis port, closing it", "pool", s.view.pool.name,
			"address", address.String(), "not_logged", missed)
	}
}
