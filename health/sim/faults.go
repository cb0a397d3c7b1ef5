package sim

import (
	"slices"
	"strings"
	"time"

	"holdfast/health"
)

// hotFor is how long clients are in a hurry after the moment of a fault, hotBefore how long before it.
const hotBefore, hotFor = 1500 * time.Microsecond, 2500 * time.Microsecond

// stallMax is how long the event loop may be kept from its work: by the machine, or by a long line of other sessions.
const stallMax = 20 * time.Millisecond

// faultKind is something that happens to a world.
type faultKind struct {
	name     string
	weight   int
	severity severity
	commit   func(*world)
}

// severity is what a fault excuses.
type severity uint8

const (
	mild severity = iota
	// hard faults may leave nobody who can be promoted without an operator.
	hard
	// blind ones are hard, and may also lose more than a receipt can know.
	blind
)

// faultKinds are all faults. Those that take a second or two of virtual time are rarer, because they cost more than they find.
func faultKinds() []faultKind {
	return []faultKind{
		{"the master is killed and comes back empty", 18, mild, (*world).killEmpty},
		{"the master is killed and is back at once, empty", 10, mild, (*world).killAtOnce},
		{"the master is killed and comes back from an older snapshot", 12, mild, (*world).killOld},
		{"the master is restarted with all its data", 6, mild, (*world).restartWhole},
		{"the master is killed while its replicas are behind", 8, mild, (*world).killBehind},
		{"a switchover", 12, mild, (*world).switchover},
		{"the master is killed right after a switchover", 4, mild, (*world).switchoverKill},
		{"the next master is killed right after the first", 6, blind, (*world).killTwice},
		{"holdfast crashes in the middle of a failover", 6, blind, (*world).crashDuringFailover},
		{"holdfast crashes", 3, mild, (*world).crashHoldfast},
		{"a replica is killed", 3, mild, (*world).killReplica},
		{"connections are reset", 4, mild, (*world).resetSome},
		{"the master hangs for a moment", 2, mild, (*world).freezeShort},
		{"the master hangs for long", 3, mild, (*world).freezeLong},
		{"holdfast alone cannot reach the master", 2, mild, (*world).cutOwnPath},
		{"nobody answers holdfast for a moment", 1, mild, (*world).cutShort},
		{"the replica does not get the stream", 2, mild, (*world).cutStream},
		{"the master is killed while its stream is held up", 3, blind, (*world).killHeldUp},
		{"the host of the master vanishes", 2, hard, (*world).vanishHost},
		{"somebody else makes another master", 2, blind, (*world).thirdParty},
		{"both are killed", 2, blind, (*world).killAll},
		{"everything at once", 3, blind, (*world).storm},
	}
}

// commitFault chooses a fault and sees it through, until the world is whole again.
func (w *world) commitFault() {
	kinds := slices.DeleteFunc(faultKinds(), func(k faultKind) bool { return !strings.Contains(k.name, w.opts.Fault) })
	if len(kinds) == 0 {
		w.fault("setup", "no fault is called %q", w.opts.Fault)
		return
	}
	sum := 0
	for _, k := range kinds {
		sum += k.weight
	}
	r := w.rnd.IntN(sum)
	for _, k := range kinds {
		if r -= k.weight; r < 0 {
			w.note("=== %s", k.name)
			w.ordered, w.hard = false, k.severity >= hard
			from := max(1, w.opened)
			k.commit(w)
			w.settle()
			w.excuse(from, k.severity == blind)
			return
		}
	}
}

// hot lets clients hurry, and lets a moment of that pass.
func (w *world) hot() {
	w.hotUntil = w.now + hotBefore + hotFor
	for _, c := range w.clients {
		if !c.busy && c.sock != nil && w.rnd.IntN(3) > 0 {
			sock := c.sock
			w.after(w.upto(time.Millisecond), func() {
				if c.sock == sock && !c.busy && w.now < w.hotUntil {
					c.turn()
				}
			})
		}
	}
	if p := w.hf.plane; w.rnd.IntN(4) == 0 {
		w.after(w.upto(2*hotBefore), func() { p.busyUntil = w.now + w.upto(stallMax) })
	}
	w.run(w.upto(hotBefore))
}

func (w *world) master() *node { return w.nodes[max(0, w.hf.core.Master())] }

// replica is any node but the master.
func (w *world) replica() *node {
	m := w.master()
	return w.nodes[(m.id+1+w.rnd.IntN(len(w.nodes)-1))%len(w.nodes)]
}

// some is a time that is often short: what follows meets each phase of what is under way.
func (w *world) some(most time.Duration) time.Duration {
	switch w.rnd.IntN(3) {
	case 0:
		return w.upto(min(most, 3*time.Millisecond))
	case 1:
		return w.upto(min(most, 30*time.Millisecond))
	}
	return w.upto(most)
}

func (w *world) killEmpty() {
	m := w.master()
	w.hot()
	m.kill()
	w.run(w.some(300 * time.Millisecond))
	m.restart(snapshot{})
}

// killAtOnce: the process is back, empty, before anybody can have seen it go, and new clients come at that very moment.
func (w *world) killAtOnce() {
	m := w.master()
	if w.rnd.IntN(3) == 0 {
		w.hot() // else nothing is unanswered, and no connection of a client is missed
	}
	for _, c := range w.clients {
		w.after(w.upto(150*time.Microsecond), c.hop)
	}
	w.run(w.upto(100 * time.Microsecond))
	m.kill()
	w.run(w.upto(20 * time.Microsecond))
	m.restart(snapshot{})
}

func (w *world) killOld() {
	m := w.master()
	m.save()
	w.run(w.some(100 * time.Millisecond))
	w.hot()
	m.kill()
	w.run(w.some(300 * time.Millisecond))
	m.restart(m.saved)
}

// restartWhole ends the master as its service manager does: it saves everything, and is back while its replicas look for it.
func (w *world) restartWhole() {
	m := w.master()
	w.hot()
	m.save()
	m.kill()
	w.run(w.some(300 * time.Millisecond))
	m.restart(m.saved)
}

// killBehind kills the master while the replicas have not read what it sent them; the kernels still have it.
func (w *world) killBehind() {
	m := w.master()
	for _, n := range w.nodes {
		if n != m {
			n.freeze()
		}
	}
	w.hot()
	w.run(w.upto(5 * time.Millisecond))
	m.kill()
	w.run(w.upto(60 * time.Millisecond))
	for _, n := range w.nodes {
		n.thaw()
	}
	w.run(w.some(300 * time.Millisecond))
	m.restart(snapshot{})
}

func (w *world) switchover() {
	w.hot()
	w.ordered = true
	w.hf.order(health.Order{Kind: health.OrderSwitchover, To: noNode})
	w.run(w.some(50 * time.Millisecond))
}

// switchoverKill: the new master dies before or after the one that it replaced has met it, and comes back with all it had or nothing.
func (w *world) switchoverKill() {
	if w.rnd.IntN(2) == 0 {
		w.switchover()
		w.run(w.some(2 * time.Second))
	} else {
		w.switchoverApart()
	}
	w.hotUntil = w.now + hotFor
	w.run(w.upto(hotFor))
	m := w.master()
	m.save()
	m.kill()
	w.heal()
	w.run(w.some(100 * time.Millisecond))
	if w.rnd.IntN(2) == 0 {
		m.saved = snapshot{}
	}
	m.restart(m.saved)
}

// switchoverApart is a switchover whose masters do not meet: the path between them breaks as soon as the new one is released. A stream
// that flows already is left alone: what its kernel would hold up may be lost with a reset, which is another fault.
func (w *world) switchoverApart() {
	epoch := w.opened
	w.ordered = true
	w.hf.order(health.Order{Kind: health.OrderSwitchover, To: noNode})
	for end := w.now + 200*time.Millisecond; w.opened == epoch && w.now < end && len(w.faults) == 0; {
		w.run(10 * time.Microsecond)
	}
	for _, n := range w.nodes {
		if m := w.master(); n != m && (n.upstream == nil || n.upstream.master != m) {
			w.setLink(m.id, n.id, true)
			w.setLink(n.id, m.id, true)
		}
	}
	w.run(w.some(time.Second))
}

func (w *world) killTwice() {
	m := w.master()
	w.hot()
	m.kill()
	w.run(w.some(20 * time.Millisecond))
	w.hotUntil = w.now + hotFor
	next := w.replica()
	next.save()
	next.kill()
	w.run(w.some(300 * time.Millisecond))
	next.restart(next.saved)
	w.run(w.some(100 * time.Millisecond))
	m.restart(snapshot{})
}

// restartHoldfast brings the daemon back after a while.
func (w *world) restartHoldfast(after time.Duration) {
	w.hf.crash()
	w.run(5*time.Millisecond + after)
	if w.opts.Plant == PlantAmnesia {
		if err := w.openJournal(); err != nil {
			w.fault("setup", "%v", err)
		}
	}
	w.began = w.now
	w.startHoldfast()
}

func (w *world) crashHoldfast() {
	w.hot()
	w.restartHoldfast(w.some(300 * time.Millisecond))
}

// crashDuringFailover: what the acknowledgements at risk were is forgotten with the process.
func (w *world) crashDuringFailover() {
	m := w.master()
	w.hot()
	if w.rnd.IntN(3) == 0 {
		w.ordered = true
		w.hf.order(health.Order{Kind: health.OrderSwitchover, To: noNode})
		w.run(w.some(20 * time.Millisecond))
		w.ordered = false
		w.restartHoldfast(w.some(100 * time.Millisecond))
		return
	}
	m.kill()
	w.run(w.upto(12 * time.Millisecond))
	if w.rnd.IntN(2) == 0 {
		m.restart(snapshot{})
	}
	w.restartHoldfast(w.some(300 * time.Millisecond))
	w.run(w.some(300 * time.Millisecond))
	m.restart(snapshot{})
}

func (w *world) killReplica() {
	n := w.replica()
	w.hot()
	epoch := w.opened
	n.kill()
	w.run(w.some(300 * time.Millisecond))
	n.restart(snapshot{})
	w.unchanged(epoch)
}

// resetSome ends connections while both ends live.
func (w *world) resetSome() {
	w.hot()
	epoch := w.opened
	for _, s := range w.hf.plane.list(stateServing) {
		if s.backend != nil && w.rnd.IntN(2) == 0 {
			for _, end := range []*socket{s.backend, s.backend.peer} {
				end.ended, end.reset = true, true
				end.out.clear()
				if !end.closed {
					w.after(w.latency(), func() { end.owner.readable(end) })
				}
			}
		}
	}
	w.run(50 * time.Millisecond)
	w.unchanged(epoch)
}

// unchanged: nothing that happened is a reason to change the master.
func (w *world) unchanged(epoch uint64) {
	if len(w.faults) == 0 && w.opened != epoch {
		w.fault("I10 no needless failover", "the epoch went from %d to %d", epoch, w.opened)
	}
}

func (w *world) freezeShort() {
	m, epoch := w.master(), w.opened
	w.hot()
	m.freeze()
	w.run(w.upto(w.settings.Silence * 3 / 5))
	m.thaw()
	w.run(w.settings.Silence)
	w.unchanged(epoch)
}

func (w *world) freezeLong() {
	m := w.master()
	w.hot()
	m.freeze()
	w.run(w.settings.Silence + w.upto(w.settings.Silence))
	w.hotUntil = w.now + hotFor
	m.thaw()
}

// cutOwnPath breaks the path of Holdfast alone, one way or both, while somebody else goes on writing: the replicas prove that the
// master lives.
func (w *world) cutOwnPath() {
	m, epoch, me := w.master(), w.opened, w.hosts-1
	w.hot()
	w.cutPath(m.id, me)
	for end := w.now + 2*w.settings.Silence; w.now < end && len(w.faults) == 0; {
		if m.up && !m.frozen && m.isMaster {
			m.execute(operation{kind: opIncr, key: key{kind: 'd'}})
			for _, f := range m.feeds {
				f.flush()
			}
		}
		w.run(20 * time.Millisecond)
	}
	w.unchanged(epoch)
	w.heal()
}

// cutPath breaks a path in one direction or both.
func (w *world) cutPath(a, b int) {
	k := w.rnd.IntN(3)
	if k != 0 {
		w.setLink(a, b, true)
	}
	if k != 1 {
		w.setLink(b, a, true)
	}
}

func (w *world) heal() {
	for a := range w.hosts {
		for b := range w.hosts {
			if a < w.hosts-1 && w.nodes[a].gone || b < w.hosts-1 && w.nodes[b].gone {
				continue
			}
			w.setLink(a, b, false)
		}
	}
}

func (w *world) cutShort() {
	epoch, me := w.opened, w.hosts-1
	w.hot()
	for _, n := range w.nodes {
		w.cutPath(n.id, me)
	}
	w.run(w.upto(w.settings.Silence * 3 / 5))
	w.heal()
	w.run(w.settings.Silence)
	w.unchanged(epoch)
}

func (w *world) cutStream() {
	m, n, epoch := w.master(), w.replica(), w.opened
	w.cutPath(m.id, n.id)
	w.hot()
	w.run(w.some(500 * time.Millisecond))
	w.heal()
	w.run(w.settings.Silence)
	w.unchanged(epoch)
}

// killHeldUp: what the dead master had sent is kept up by the network, and may be lost with a reset.
func (w *world) killHeldUp() {
	m := w.master()
	for _, n := range w.nodes {
		if n != m {
			w.setLink(m.id, n.id, true)
		}
	}
	w.hot()
	m.kill()
	w.run(w.some(400 * time.Millisecond))
	w.heal()
	w.run(w.some(300 * time.Millisecond))
	m.restart(snapshot{})
}

func (w *world) vanishHost() {
	m := w.master()
	w.hot()
	m.vanish()
	w.run(w.settings.Silence + w.upto(w.settings.Silence))
	m.restart(snapshot{})
}

// thirdParty is an operator with another tool: it promotes without holding anybody.
func (w *world) thirdParty() {
	m, n := w.master(), w.replica()
	w.hot()
	n.promote()
	w.run(w.upto(time.Millisecond))
	m.surrender(n.id, w.rnd.IntN(2) == 0)
	for _, o := range w.nodes {
		if o != m && o != n {
			o.surrender(n.id, true)
		}
	}
	w.run(w.some(300 * time.Millisecond))
}

// killAll leaves nobody; who comes back first has its data, and the other nothing.
func (w *world) killAll() {
	w.hot()
	for _, n := range w.nodes {
		n.save()
		n.kill()
		w.run(w.some(20 * time.Millisecond))
	}
	w.run(w.some(2 * time.Second))
	first := w.rnd.IntN(len(w.nodes))
	for i := range w.nodes {
		n := w.nodes[(first+i)%len(w.nodes)]
		n.restart(n.saved)
		w.run(w.some(300 * time.Millisecond))
	}
}

// storm is several faults with no time to recover in between. What it loses is excused; nothing else is.
func (w *world) storm() {
	for range 3 + w.rnd.IntN(4) {
		w.hot()
		n := w.nodes[w.rnd.IntN(len(w.nodes))]
		switch w.rnd.IntN(6) {
		case 0:
			n.save()
			n.kill()
		case 1:
			n.freeze()
		case 2:
			w.cutPath(n.id, w.rnd.IntN(w.hosts))
		case 3:
			w.restartHoldfast(w.some(50 * time.Millisecond))
		case 4:
			n.restart(n.saved)
		default:
			n.thaw()
			w.heal()
		}
		w.run(w.some(300 * time.Millisecond))
	}
	w.heal()
	for _, n := range w.nodes {
		n.thaw()
		n.restart(n.saved)
	}
}
