package health

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"
)

// world is an invented little world around the pure core: nodes that die, hang, restart and replicate with a lag; probes, an
// executor and one client that writes through the route. Time moves when the test says so.
type world struct {
	random  *rand.Rand
	now     time.Duration
	pool    pool
	cfg     *Settings
	nodes   []*fake
	pending []delayed
	polled  time.Duration
	nextID  int
	slow    int

	intent    Intent
	record    Record
	conn      connection
	acked     []int
	masters   map[uint64]int // who was routed to in which epoch
	lastEpoch uint64
	log       []string
	faults    []string // broken invariants
	receipts  []Receipt
	replies   []error
	ordered   uint64 // the number of the last order of a transcript
}

// fake is one server. Its data is the list of the writes it has; the stream offset is their number.
type fake struct {
	up, frozen bool
	frozenAt   time.Duration
	run        string
	master     bool
	replid     string
	replid2    string
	data       []int
	snapshot   []int
	snapID     string
	follows    int   // -1: nobody
	link       bool  // up as the replica sees it
	ended      bool  // the stream has ended, and is down once the wire is empty
	wire       []int // sent by the master and not read yet: it survives the death of the master
	copying    time.Duration
	owed       []Observation // answers it gives when it wakes
	lagging    bool
}

type delayed struct {
	at     time.Duration
	effect Effect
	since  time.Duration
}

// connection is the one backend connection of the client.
type connection struct {
	open  bool
	node  int
	run   string
	epoch uint64
	check uint64
	lost  bool
}

func newWorld(seed uint64, n int, change func(*Settings)) *world {
	w := &world{random: rand.New(rand.NewPCG(seed, seed)), masters: map[uint64]int{}, polled: -time.Second}
	s := Settings{Name: "world"}
	for i := range n {
		s.Backends = append(s.Backends, Backend{Name: "n" + strconv.Itoa(i), Address: fmt.Sprintf("10.0.0.%d:6379", i+1)})
		w.nodes = append(w.nodes, &fake{up: true, run: w.id("run"), follows: noNode})
	}
	if change != nil {
		change(&s)
	}
	s = s.normalized()
	w.cfg = &s
	w.pool = newPool(w.cfg, Record{})
	w.nodes[0].master, w.nodes[0].replid = true, w.id("L")
	for i := 1; i < n; i++ {
		w.nodes[i].follow(0)
		w.copyFrom(w.nodes[i])
	}
	return w
}

func (w *world) id(prefix string) string {
	w.nextID++
	return prefix + strconv.Itoa(w.nextID)
}

func (f *fake) follow(i int) {
	f.follows, f.master, f.link, f.ended, f.wire, f.copying = i, false, false, false, nil, 0
}

// info is what a node would answer now.
func (w *world) info(i int) Info {
	f := w.nodes[i]
	info := Info{RunID: f.run, Role: "slave", ReplID: f.replid, ReplID2: f.replid2, Offset: f.offset(), Priority: 100,
		Keys: len(f.data) > 0, LinkUp: f.link, Syncing: f.copying > 0}
	if !f.master {
		info.ReadOffset, info.AppliedOffset = f.offset(), f.offset()
		if f.follows != noNode {
			info.MasterHost, info.MasterPort = splitAddress(w.cfg.Backends[f.follows].Address)
		}
		return info
	}
	info.Role = "master"
	for j, r := range w.nodes {
		if r.follows == i && r.up && r.link && !r.ended {
			host, port := splitAddress(w.cfg.Backends[j].Address)
			info.Followers = append(info.Followers, Follower{Host: host, Port: port, Online: true, Offset: r.offset()})
		}
	}
	return info
}

func (f *fake) offset() int64 { return 1000 + int64(len(f.data)) }

// observe feeds the core and starts what it wants.
func (w *world) observe(o Observation) {
	o.At = w.now
	before := w.pool
	next, effects := step(w.pool, o)
	w.pool = next
	w.checkStep(before, next)
	for _, e := range effects {
		w.begin(e)
	}
}

func (w *world) fault(format string, args ...any) {
	w.faults = append(w.faults, fmt.Sprintf("at %s: ", w.now)+fmt.Sprintf(format, args...))
}

func (w *world) note(format string, args ...any) {
	w.log = append(w.log, fmt.Sprintf("%8s ", w.now)+fmt.Sprintf(format, args...))
}

// begin does at once what needs no server, and puts off the rest.
func (w *world) begin(e Effect) {
	w.note("%s", e)
	switch e.Kind {
	case EffectPublish:
		w.checkRoute(e.Route)
	case EffectEvent:
	case EffectReply:
		w.replies = append(w.replies, e.Err)
	case EffectKeep:
		w.receipts = append(w.receipts, e.Receipt)
	case EffectProbe, EffectCompare: // no chance is taken for what decides nothing
		w.pending = append(w.pending, delayed{at: w.now, effect: e, since: w.now})
	default:
		w.pending = append(w.pending, delayed{at: w.now + time.Duration(w.random.IntN(8))*time.Millisecond, effect: e, since: w.now})
	}
}

// ask is a probe of node i.
func (w *world) ask(i int, fresh bool) {
	f := w.nodes[i]
	switch {
	case !f.up:
		if !fresh {
			w.observe(Observation{Failure: &Failure{Node: i, Kind: FailLost}})
		}
		w.observe(Observation{Failure: &Failure{Node: i, Kind: FailRefused, Fresh: fresh}})
	case f.frozen:
		if len(f.owed) < 2 {
			f.owed = append(f.owed, Observation{Answer: &Answer{Node: i, Sent: w.now, Fresh: fresh}})
		}
	default:
		w.observe(Observation{Answer: &Answer{Node: i, Sent: w.now, Fresh: fresh, Info: w.info(i)}})
	}
}

// pass lets time go by in steps of five milliseconds.
func (w *world) pass(d time.Duration) {
	const tick = 5 * time.Millisecond
	for end := w.now + d; w.now < end; {
		w.now += tick
		w.replicate()
		w.client()
		w.finishPending()
		if w.now-w.polled >= w.cfg.Interval {
			w.polled = w.now
			for i := range w.nodes {
				w.ask(i, false)
			}
		}
		w.observe(Observation{Tick: &Tick{Load: Load{Slow: w.slow}}})
	}
}

// replicate moves the stream on.
func (w *world) replicate() {
	for _, f := range w.nodes {
		if !f.up || f.frozen || f.master || f.follows == noNode {
			continue
		}
		if len(f.wire) > 0 && !f.lagging {
			n := 1 + w.random.IntN(len(f.wire))
			f.data, f.wire = append(f.data, f.wire[:n]...), f.wire[n:]
		}
		m := w.nodes[f.follows]
		switch {
		case f.link && f.ended && len(f.wire) == 0:
			f.link, f.ended = false, false
		case f.copying > 0 && (!m.up || !m.master):
			f.copying = 0
		case f.copying > 0 && w.now >= f.copying:
			w.copyFrom(f)
		case !f.link && f.copying == 0 && m.up && !m.frozen && m.master:
			w.reconnect(f, m)
		}
	}
}

// reconnect continues a stream where the lineage allows it, and copies everything otherwise.
func (w *world) reconnect(f, m *fake) {
	same := f.replid == m.replid || f.replid != "" && f.replid == m.replid2
	if same && len(f.data) <= len(m.data) && slices.Equal(f.data, m.data[:len(f.data)]) {
		if f.replid != m.replid {
			f.replid, f.replid2 = m.replid, f.replid
		}
		f.link, f.ended = true, false
		f.wire = slices.Clone(m.data[len(f.data):])
		return
	}
	f.copying = w.now + 300*time.Millisecond
}

func (w *world) copyFrom(f *fake) {
	m := w.nodes[f.follows]
	f.data, f.replid, f.replid2 = slices.Clone(m.data), m.replid, "" // a copy begins a new history
	f.link, f.ended, f.copying, f.wire = true, false, 0, nil
}

// client is a session that writes one request after the other through the route.
func (w *world) client() {
	r := w.pool.route
	c := &w.conn
	if c.open && (!w.nodes[c.node].up || w.nodes[c.node].run != c.run) {
		c.open, c.lost, c.check = false, true, r.Check
		w.observe(Observation{Evidence: &Evidence{Backend: c.node, Epoch: c.epoch, Kind: EvEOF}})
		r = w.pool.route
	}
	if r.Gate != GateOpen {
		return
	}
	if c.open && c.epoch != r.Epoch {
		c.open, c.lost = false, false
	}
	f := w.nodes[r.Backend]
	if !c.open {
		if c.lost && c.epoch == r.Epoch && c.check == r.Check || f.frozen || !f.up {
			return
		}
		if r.Lineage != "" && (!f.master || f.replid != r.Lineage) {
			c.lost, c.epoch, c.check = true, r.Epoch, r.Check
			w.observe(Observation{Evidence: &Evidence{Backend: r.Backend, Epoch: r.Epoch, Kind: EvIdentity}})
			return
		}
		*c = connection{open: true, node: r.Backend, run: f.run, epoch: r.Epoch, check: r.Check}
	}
	if f.frozen || !f.master {
		return
	}
	w.nextID++
	w.write(r.Backend, w.nextID)
	w.acked = append(w.acked, w.nextID)
}

// write executes a write on a master and puts it on the wire to its replicas.
func (w *world) write(i, id int) {
	w.nodes[i].data = append(w.nodes[i].data, id)
	for _, r := range w.nodes {
		if r.follows == i && r.up && r.link && !r.ended {
			r.wire = append(r.wire, id)
		}
	}
}

// finishPending carries out the effects that are due.
func (w *world) finishPending() {
	var later []delayed
	due := w.pending
	w.pending = nil
	for _, d := range due {
		if d.at > w.now {
			later = append(later, d)
			continue
		}
		result, done := w.execute(d)
		if !done {
			later = append(later, d)
			continue
		}
		e := d.effect
		if e.Kind == EffectProbe {
			continue // its answer is an observation of its own
		}
		result.Kind, result.Plan, result.Epoch, result.Node = e.Kind, e.Plan, e.Epoch, e.Node
		w.observe(Observation{Result: &result})
	}
	w.pending = append(later, w.pending...)
}

var errAway = errors.New("it does not answer")

// execute does what the real executor does, in this world.
func (w *world) execute(d delayed) (r Result, done bool) {
	e := d.effect
	f := w.nodes[e.Node]
	waited := w.now - d.since
	switch e.Kind {
	case EffectProbe:
		w.ask(e.Node, true)
		return r, true
	case EffectCut:
		w.conn.open = false
		return r, true
	case EffectIntend:
		w.intent = *e.Record.Intent
		w.record = e.Record
		return r, true
	case EffectCommit:
		w.record = e.Record
		return r, true
	case EffectQuiesce, EffectNote, EffectWarm, EffectCompare, EffectPersist, EffectUnpause, EffectRestore:
		return r, true
	}
	if !f.up || f.frozen && waited > time.Second {
		r.Err = errAway
		return r, e.Kind != EffectFence || !f.up
	}
	if f.frozen {
		return r, false
	}
	return w.executeNode(e, f, waited)
}

func (w *world) executeNode(e Effect, f *fake, waited time.Duration) (r Result, done bool) {
	switch e.Kind {
	case EffectDrain:
		drained := !f.link || e.Hung && len(f.wire) == 0
		r.Info = w.info(e.Node)
		return r, drained || waited > e.Limit
	case EffectCatchUp:
		to := w.nodes[e.To]
		if waited > e.Limit || !to.up || to.frozen && waited > e.Limit {
			r.Err = errAway
			return r, true
		}
		r.Info = w.info(e.Node)
		return r, len(to.data) == len(f.data)
	case EffectPromote:
		w.checkPromotion(e, f)
		if !f.master {
			f.follow(noNode)
			f.master, f.replid2, f.replid = true, f.replid, w.id("L")
		}
		r.Info = w.info(e.Node)
	case EffectVerify:
		r.Info = w.info(e.Node)
		if !f.master || r.Info.ReplID != e.Lineage {
			r.Err = errAway
		}
	case EffectRepoint, EffectDemote, EffectFence:
		w.endStreams(e.Node)
		f.follow(e.To)
	}
	return r, true
}

// endStreams ends what node i sends: its replicas see it when they have read the rest.
func (w *world) endStreams(i int) {
	for _, r := range w.nodes {
		if r.follows == i && r.link {
			r.ended = true
		}
	}
}
