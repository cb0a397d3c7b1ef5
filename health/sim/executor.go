package sim

import (
	"errors"
	"fmt"
	"time"

	"holdfast/health"
)

// The bounds of health/failover.
const (
	commandMax = time.Second
	promoteMax = time.Second
	fenceMax   = 10 * time.Minute
	pauseFor   = 3 * time.Second
	drainPoll  = time.Millisecond
	stillFor   = 10 * time.Millisecond
)

var (
	errLost       = errors.New("the connection was lost")
	errLate       = errors.New("no answer in time")
	errRefused    = errors.New("connection refused")
	errUnverified = errors.New("not verified")
)

// line is a connection for commands, opened when it is needed. One conversation at a time.
type line struct {
	h       *holdfast
	node    *node
	open    bool
	born    int
	busy    bool
	waiting []func()
}

// talk has do run in the process at the other end, and on a new connection once more if the open one turns out to be dead.
func (l *line) talk(limit time.Duration, do func(*node) health.Info, done func(health.Info, error)) {
	end := l.h.w.now + limit
	l.lock(func() { l.try(end, l.open, do, done) })
}

func (l *line) lock(do func()) {
	if l.busy {
		l.waiting = append(l.waiting, do)
		return
	}
	l.busy = true
	do()
}

func (l *line) unlock() {
	l.busy = false
	if len(l.waiting) > 0 {
		next := l.waiting[0]
		l.waiting = l.waiting[1:]
		l.lock(next)
	}
}

func (l *line) try(end time.Duration, reused bool, do func(*node) health.Info, done func(health.Info, error)) {
	left := end - l.h.w.now
	finish := func(i health.Info, err error) {
		l.unlock()
		done(i, err)
	}
	switch {
	case l.h.dead:
		return
	case left <= 0:
		l.open = false
		finish(health.Info{}, errLate)
		return
	case !l.open:
		l.h.dial(l.node, left, func(kind health.FailureKind, ok bool) {
			if !ok {
				finish(health.Info{}, fmt.Errorf("dial %s: %w (%s)", l.node.name(), errRefused, kind))
				return
			}
			l.open, l.born = true, l.node.born
			l.try(end, false, do, done)
		})
		return
	}
	l.h.query(l.node, l.born, left, do, func(i health.Info, out outcome) {
		switch {
		case out == outcomeDone:
			finish(i, nil)
		case out == outcomeLost && reused:
			l.open = false
			l.try(end, false, do, done)
		case out == outcomeLost:
			l.open = false
			finish(i, errLost)
		default:
			l.open = false
			finish(i, errLate)
		}
	})
}

// execute carries out one effect and reports what came of it.
func (h *holdfast) execute(e health.Effect) {
	done := func(r health.Result) {
		r.Kind, r.Plan, r.Epoch, r.Node = e.Kind, e.Plan, e.Epoch, e.Node
		h.report(health.Observation{Result: &r})
	}
	switch e.Kind {
	case health.EffectCut:
		h.post(func() { done(health.Result{Cut: h.plane.cut(e.Epoch, e.Alive)}) })
	case health.EffectQuiesce:
		h.quiesce(orElse(e.Limit, commandMax), done)
	case health.EffectIntend, health.EffectCommit, health.EffectNote, health.EffectKeep:
		h.w.after(time.Duration(h.w.rnd.Int64N(int64(diskMax))), func() {
			if !h.dead {
				done(health.Result{Err: h.write(e)})
			} else if h.w.rnd.IntN(2) == 0 {
				_ = h.write(e) // it was on disk, and nobody heard of it
			}
		})
	default:
		h.executeNode(e, done)
	}
}

// post runs do in the loop.
func (h *holdfast) post(do func()) {
	h.w.after(time.Duration(h.w.rnd.Int64N(int64(queueSpread))), func() { h.deliver(do) })
}

// deliver is the loop's mail.
func (h *holdfast) deliver(do func()) {
	if !h.dead && !h.plane.late(func() { h.deliver(do) }) {
		do()
	}
}

func (h *holdfast) quiesce(limit time.Duration, done func(health.Result)) {
	over := false
	end := func(err error) {
		if !over {
			over = true
			done(health.Result{Err: err})
		}
	}
	h.post(func() { h.plane.quiesce(func() { end(nil) }) })
	h.w.after(limit, func() {
		if !h.dead {
			end(errLate)
		}
	})
}

// write is the authority; its own rules forbid an epoch that goes back.
func (h *holdfast) write(e health.Effect) (err error) {
	switch e.Kind {
	case health.EffectIntend:
		if err = h.journal.Intend(e.Record); err == nil {
			h.w.intended = e.Record.Intent
		}
	case health.EffectCommit:
		err = h.journal.Commit(e.Record)
	case health.EffectNote:
		err = h.journal.Note(e.Epoch, e.Offset)
	}
	if err != nil {
		h.w.note("  refused: %v", err) // it came late, behind what a newer plan has written
	}
	if now := h.journal.Last(); now.Epoch < h.w.recorded {
		h.w.fault("I24 monotonic epochs", "the journal went back from epoch %d to %d", h.w.recorded, now.Epoch)
	} else {
		h.w.recorded = now.Epoch
	}
	return err
}

func orElse(limit, otherwise time.Duration) time.Duration {
	if limit > 0 {
		return limit
	}
	return otherwise
}

// executeNode carries out the effects that talk to a server.
func (h *holdfast) executeNode(e health.Effect, done func(health.Result)) {
	command, spare := h.lines[e.Node][0], h.lines[e.Node][1]
	simply := func(_ health.Info, err error) { done(health.Result{Err: err}) }
	switch e.Kind {
	case health.EffectDrain:
		h.drain(e, command, done)
	case health.EffectPromote:
		h.promote(e, command, done)
	case health.EffectVerify:
		command.talk(commandMax, tellInfo, func(i health.Info, err error) {
			if err == nil && (!i.IsMaster() || e.Lineage != "" && i.ReplID != e.Lineage) {
				err = errUnverified
			}
			done(health.Result{Info: i, Err: err})
		})
	case health.EffectCatchUp:
		h.catchUp(e, command, done)
	case health.EffectRepoint:
		command.talk(commandMax, func(n *node) health.Info { n.surrender(e.To, true); return n.info() }, simply)
	case health.EffectDemote:
		command.talk(commandMax, func(n *node) health.Info { n.surrender(e.To, false); return n.info() }, simply)
	case health.EffectFence:
		spare.talk(fenceMax, func(n *node) health.Info { n.surrender(e.To, false); return n.info() }, simply)
	case health.EffectUnpause:
		command.talk(commandMax, func(n *node) health.Info { n.unpause(); return n.info() }, simply)
	case health.EffectWarm:
		command.talk(commandMax, tellInfo, func(_ health.Info, err error) { spare.talk(commandMax, tellInfo, simply) })
	default: // persist and restore change files, which no process here reads
		command.talk(commandMax, tellInfo, simply)
	}
}

func tellInfo(n *node) health.Info { return n.info() }

// surrender makes a node a replica; keep says that its clients may stay.
func (n *node) surrender(to int, keep bool) {
	if to == n.id || !n.isMaster && n.follows == to {
		return
	}
	n.expel(keep)
	n.follow(to)
	n.unpause()
}

func (n *node) unpause() {
	n.pausedUntil = 0
	n.wake()
}

// promote is one transaction, and its verification.
func (h *holdfast) promote(e health.Effect, l *line, done func(health.Result)) {
	h.w.checkIntent(e)
	var was health.Info
	l.talk(promoteMax, func(n *node) health.Info {
		h.w.checkPromotion(e, n)
		was = n.info()
		n.promote()
		return n.info()
	}, func(i health.Info, err error) {
		if err == nil && (!i.IsMaster() || e.Lineage != "" && was.ReplID != e.Lineage && was.ReplID2 != e.Lineage) {
			err = fmt.Errorf("%w: %s shows %q instead of %q", errUnverified, i.Role, i.ReplID2, e.Lineage)
		}
		done(health.Result{Info: i, Err: err})
	})
}

// drain polls until the replica has read and applied what its lost master had sent.
func (h *holdfast) drain(e health.Effect, l *line, done func(health.Result)) {
	limit := orElse(e.Limit, commandMax)
	start, still, since := h.w.now, int64(-1), h.w.now
	l.lock(func() {
		var poll func()
		poll = func() {
			l.try(start+limit+commandMax, l.open, tellInfo, func(i health.Info, err error) {
				if err != nil {
					done(health.Result{Info: i, Err: err})
					return
				}
				if i.ReadOffset != i.AppliedOffset || i.AppliedOffset != still {
					still, since = i.AppliedOffset, h.w.now
				}
				if over := h.w.now-start >= limit; over && i.LinkUp {
					h.cutOffAt = h.w.now
				}
				quiet := e.Hung && h.w.now-since >= stillFor
				if !i.LinkUp || i.IsMaster() || quiet || h.w.now-start >= limit || h.w.opts.Plant == PlantNoDrain {
					done(health.Result{Info: i})
					return
				}
				h.w.after(drainPoll, func() { l.lock(poll) })
			})
		}
		poll()
	})
}

// catchUp pauses the writes of those who bypass the proxy, and waits until the replica has the same offset.
func (h *holdfast) catchUp(e health.Effect, l *line, done func(health.Result)) {
	limit := orElse(e.Limit, commandMax)
	to := h.lines[e.To][0]
	l.talk(limit, func(n *node) health.Info {
		n.pausedUntil = n.w.now + pauseFor
		return n.info()
	}, func(master health.Info, err error) {
		if err != nil {
			done(health.Result{Info: master, Err: err})
			return
		}
		end := h.w.now + limit
		var poll func()
		poll = func() {
			to.talk(end-h.w.now, tellInfo, func(i health.Info, err error) {
				switch {
				case err != nil:
				case i.ReplID != master.ReplID:
					err = errUnverified
				case i.AppliedOffset < master.Offset && h.w.now < end:
					h.w.after(drainPoll, poll)
					return
				case i.AppliedOffset < master.Offset:
					err = errLate
				}
				done(health.Result{Info: master, Err: err})
			})
		}
		poll()
	})
}
