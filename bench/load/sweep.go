package load

import "time"

// sweep looks after what is rare: lost connections, the churn, requests without an answer, the end of an interval.
func (w *worker) sweep(now int64) {
	since := now - w.swept
	w.swept = now
	w.redial(now)
	if w.starting {
		return
	}
	if w.opts.Churn > 0 && now < w.schedule.end {
		w.churn(time.Duration(since), now)
	}
	if now-w.expired >= int64(expireEvery) {
		w.expired = now
		w.expire(now)
	}
	if now >= w.meter.from+int64(w.meter.slice.index+1)*w.meter.interval {
		w.meter.rotate(now, w.waiting(now))
	}
}

// redial makes lost connections again. An idle one that was lost stays lost: that it was is the result.
func (w *worker) redial(now int64) {
	lost := w.lost
	w.lost = nil
	for _, l := range lost {
		switch {
		case l.state != down || l.role == idles && !w.starting:
		case now-l.dialed < int64(redialMin):
			w.lost = append(w.lost, l)
		default:
			w.dial(l, now)
		}
	}
}

// churn replaces as many connections as this worker owes, at once or after their answer.
func (w *worker) churn(since time.Duration, now int64) {
	share := float64(len(w.askers)) / float64(w.opts.Connections)
	w.owed += min(since, time.Second).Seconds() * float64(w.opts.Churn) * share
	for range len(w.askers) {
		if w.owed < 1 {
			return
		}
		l := w.askers[w.next%len(w.askers)]
		w.next++
		switch l.state {
		case ready:
			w.replace(l, now)
		case busy:
			l.retire = true
		default:
			continue
		}
		w.owed--
	}
}

// expire gives up what has had no answer for too long. A connection that waits for jobs may wait.
func (w *worker) expire(now int64) {
	for _, l := range w.links {
		waits := l.state == dialing || l.state == greeting || l.state == busy && l.role == asks
		if waits && now-l.asked > int64(w.opts.Timeout) {
			w.lose(l, errTimeout, now)
		}
	}
}
