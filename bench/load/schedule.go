package load

import "time"

// schedule says when each request of one worker is due. Request m is due at start + m*gap and belongs to asker m modulo their
// number, whatever became of the one before it.
type schedule struct {
	closed  bool
	start   int64 // ns of the clock
	counted int64 // requests due from here on are counted; those before warm up
	end     int64
	gap     float64 // ns between two requests of this worker
	askers  int
	total   int64
	arrived int64 // requests that have become due
}

// newSchedule plans the share of one worker. Workers are moved against each other by a part of the gap, so that together they
// are one even stream.
func newSchedule(o Options, start int64, askers, worker int) schedule {
	s := schedule{closed: o.Closed, askers: askers, start: start, counted: start + int64(o.WarmUp)}
	s.end = s.counted + int64(o.Duration)
	if o.Closed {
		s.gap = float64(tickMax)
		return s
	}
	rate := o.Rate * float64(askers) / float64(o.Connections)
	s.gap = float64(time.Second) / rate
	s.start += int64(s.gap * float64(worker) / float64(o.Threads))
	s.total = int64(float64(s.end-start) / s.gap)
	return s
}

// at is when request m is due.
func (s *schedule) at(m int64) int64 { return s.start + int64(float64(m)*s.gap) }

// due is when the request number begun of asker i is due.
func (s *schedule) due(i int, begun int64) int64 { return s.at(begun*int64(s.askers) + int64(i)) }

// of is how many requests asker i has.
func (s *schedule) of(i int) int64 {
	n := s.total / int64(s.askers)
	if int64(i) < s.total%int64(s.askers) {
		n++
	}
	return n
}

// arrive begins the requests that have become due on connections that are ready. Others begin theirs when they can, and are
// charged from the moment it was due.
func (w *worker) arrive(now int64) {
	s := &w.schedule
	for s.arrived < s.total && s.at(s.arrived) <= now {
		l := w.askers[s.arrived%int64(s.askers)]
		s.arrived++
		if l.state == ready {
			w.feed(l, now)
		}
	}
}

// feed begins the next request of an asker that is ready, if there is one.
func (w *worker) feed(l *link, now int64) {
	s := &w.schedule
	switch {
	case s.closed && now < s.end:
		w.ask(l, now, now)
	case !s.closed && l.begun < l.total && s.due(l.place, l.begun) <= now:
		due := s.due(l.place, l.begun)
		l.begun++
		w.ask(l, due, now)
	}
}

// refuse ends the requests of an asker that are due and cannot be sent.
func (w *worker) refuse(l *link, class string, now int64) {
	s := &w.schedule
	if s.closed && now < s.end {
		w.meter.fail(w.opts.Mix.pick(w.writer.rng), class, now, now)
	}
	for ; l.begun < l.total && s.due(l.place, l.begun) <= now; l.begun++ {
		w.meter.fail(w.opts.Mix.pick(w.writer.rng), class, s.due(l.place, l.begun), now)
		w.ended++
	}
}

// abandon ends what is still open when the run is over.
func (w *worker) abandon(now int64) {
	for _, l := range w.askers {
		if l.state == busy {
			w.meter.fail(l.request.kind, classUnfinished, l.due, now)
			w.ended++
			w.busy--
		}
		w.refuse(l, classUnfinished, now)
		l.hangUp(now)
	}
	if s := &w.meter.slice; s.answered > 0 || len(s.classes) > 0 {
		w.meter.flush(0)
	}
}

// waiting is for how long the request that has waited longest has been due.
func (w *worker) waiting(now int64) time.Duration {
	var longest int64
	for i, l := range w.askers {
		if l.state == busy {
			longest = max(longest, now-l.due)
		} else if l.begun < l.total {
			longest = max(longest, now-w.schedule.due(i, l.begun))
		}
	}
	return time.Duration(longest)
}
