package proxy

// state is where a session stands. Only move writes it, and it is membership of exactly one list of its view.
//
//	Fresh -> Queued -> Dialing -> Serving <-> Held
//	  ^         ^                    |         |
//	  +---------+--------------------+<--------+   lost or moved: replay, go on
//	any -> Finishing (flush what is owed, close);  Serving, Dialing -> Piping (opaque bytes)
type state uint8

const (
	// stateFree: the record belongs to nobody.
	stateFree state = iota
	// stateFresh: no backend and nothing owed; the client's next request asks for one.
	stateFresh
	// stateHeld: the client waits. The gate is shut, or the backend was lost and is not confirmed yet.
	stateHeld
	// stateQueued: waits for its turn to dial.
	stateQueued
	// stateDialing: the backend connection is being made: connect, login, replay.
	stateDialing
	// stateServing: requests and replies flow.
	stateServing
	// statePiping: bytes flow unseen: opaque pools, MONITOR.
	statePiping
	// stateFinishing: the client will send no more; what is owed to it is delivered, then the session ends.
	stateFinishing
	stateCount
)

var stateNames = [stateCount]string{"free", "fresh", "held", "queued", "dialing", "serving", "piping", "finishing"}

func (s state) String() string { return stateNames[s] }

// list is an intrusive doubly linked list of sessions, in order of arrival.
type list struct {
	first, last *session
	n           int
}

func (l *list) add(s *session) {
	s.prev, s.next = l.last, nil
	if l.last != nil {
		l.last.next = s
	} else {
		l.first = s
	}
	l.last = s
	l.n++
}

func (l *list) remove(s *session) {
	if s.prev != nil {
		s.prev.next = s.next
	} else {
		l.first = s.next
	}
	if s.next != nil {
		s.next.prev = s.prev
	} else {
		l.last = s.prev
	}
	s.prev, s.next = nil, nil
	l.n--
}

// putFirst moves the sessions with one of the bits to the front; otherwise the order stays.
func (l *list) putFirst(bits uint32) {
	var rest list
	for n, s := l.n, l.first; n > 0; n-- {
		next := s.next
		l.remove(s)
		if s.has(bits) {
			l.add(s)
		} else {
			rest.add(s)
		}
		s = next
	}
	for s := rest.first; s != nil; s = rest.first {
		rest.remove(s)
		l.add(s)
	}
}

// move puts the session into the list of the next state.
func (s *session) move(to state) {
	if s.state == to {
		return
	}
	v, from := s.view, s.state
	if from != stateFree {
		v.lists[from].remove(s)
	} else {
		v.connected.Add(1)
	}
	s.state = to
	if to != stateFree {
		v.lists[to].add(s)
	} else {
		v.connected.Add(-1)
	}
	if from == stateHeld || to == stateHeld {
		v.held.Store(int64(v.lists[stateHeld].n))
	}
}
