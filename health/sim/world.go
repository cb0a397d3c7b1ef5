package sim

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"holdfast/health"
	"holdfast/health/authority"
	"holdfast/proxy/resp"
)

// Plant is a bug that is planted on purpose, to see that it is found.
type Plant uint8

const (
	// PlantNone: nothing is planted.
	PlantNone Plant = iota
	// PlantNoDrain promotes a replica without letting it read what it was sent.
	PlantNoDrain
	// PlantRetryWrites sends writes of unknown outcome again.
	PlantRetryWrites
	// PlantForgetSelect makes sessions again without their database.
	PlantForgetSelect
	// PlantRoleAlone takes any node that says it is a master for the master.
	PlantRoleAlone
	// PlantZombie goes on listening to the connections of the old epoch after the cut.
	PlantZombie
	// PlantAmnesia loses the journal when Holdfast crashes.
	PlantAmnesia
	plants
)

var plantNames = [plants]string{"none", "no drain", "retry writes", "forget SELECT", "role alone", "zombie", "amnesia"}

func (p Plant) String() string { return plantNames[p] }

// Options of a life. The zero value is the ordinary one.
type Options struct {
	Faults int    // how many faults a life has; 0: faultsDefault
	Fault  string // only faults whose name contains this
	Plant  Plant
	Trace  bool // keep what happened, for a life that is looked at
	Quiet  bool // ... without what clients say and hear
}

// faultsDefault is long enough for a fault to meet what an earlier one has left behind.
const faultsDefault = 12

// traceMax bounds a trace, in lines: what led to a broken invariant is at its end.
const traceMax = 4000

// Result is what a life came to.
type Result struct {
	Seed      uint64
	Faults    []string // broken invariants; empty: none
	Trace     []string
	Failovers int // changes of mastership with a receipt
	Commands  int // answered to clients
	Operated  int // times that an operator had to accept what is left
	Events    uint64
	Lost      int // acknowledged writes that are gone, all of them declared or excused
	Declared  int // at risk, as the receipts say
	Cut       resp.CutCounts
	Elapsed   time.Duration // virtual time
}

// world is one life: nodes, links, Holdfast and clients, and what they must never do.
type world struct {
	clock
	rnd      *rand.Rand
	opts     Options
	hosts    int // the nodes, and Holdfast's own host last
	links    []link
	nodes    []*node
	clients  []*client
	settings health.Settings
	journal  *authority.Journal
	hf       *holdfast
	began    time.Duration // when the present process of Holdfast started
	hotUntil time.Duration
	nextID   int64
	bias     int // the act that this life's clients prefer; -1: none. What is rare in a mixture is seen in a crowd that does nothing else.

	crowd
	ordered    bool // an operator's order is out
	hard       bool // the fault under way may need an operator
	operatedAt time.Duration
	ledger
	faults  []string
	tracing bool
	trace   []string
	result  Result
}

// newWorld is a pair or a trio that nobody has looked at yet.
func newWorld(seed uint64, o Options) (*world, error) {
	w := &world{rnd: rand.New(rand.NewPCG(seed, 0x51)), opts: o, tracing: o.Trace}
	w.result.Seed = seed
	w.ledger = newLedger()
	w.crowd.jobs = map[int64]*job{}
	for db := range w.crowd.missing {
		w.crowd.missing[db] = map[uint64]int{}
	}
	if w.bias = -1; w.rnd.IntN(2) == 0 {
		w.bias = []int{actSet, actPush, actPipeline, actSteps, actBlock}[w.rnd.IntN(5)]
	}
	n := 2 + int(seed%2)
	w.hosts = n + 1
	w.links = make([]link, w.hosts*w.hosts)
	w.settings = health.Settings{Name: "sim", Interval: 100 * time.Millisecond,
		Silence: []time.Duration{300, 700, 1000}[w.rnd.IntN(3)] * time.Millisecond, MinGap: 2 * time.Second, HoldMaxWait: 2 * time.Second,
		MaxLoss: 1000}
	for i := range n {
		w.settings.Backends = append(w.settings.Backends, health.Backend{Name: fmt.Sprintf("n%d", i), Address: address(i)})
		node := newNode(w, i)
		node.data = dataset{}
		w.nodes = append(w.nodes, node)
	}
	for _, node := range w.nodes {
		node.ping()
	}
	for _, node := range w.nodes[1:] {
		node.follow(0)
	}
	if err := w.openJournal(); err != nil {
		return nil, err
	}
	w.startHoldfast()
	w.addClients()
	return w, nil
}

// openJournal is an authority that remembers as long as the world lasts.
func (w *world) openJournal() error {
	local, err := authority.Open("", nil)
	if err != nil {
		return err
	}
	w.journal, err = local.Pool(w.settings.Name)
	return err
}

func (w *world) id(prefix string) string {
	w.nextID++
	return prefix + strconv.FormatInt(w.nextID, 10) + "."
}

// run lets time go by. It stops at the first broken invariant.
func (w *world) run(d time.Duration) {
	for end := w.now + d; len(w.faults) == 0; {
		if !w.next(end) {
			w.now = end
			return
		}
	}
}

// upto is a random duration.
func (w *world) upto(d time.Duration) time.Duration { return time.Duration(w.rnd.Int64N(int64(d) + 1)) }

func (w *world) fault(invariant, format string, args ...any) {
	w.note("BROKEN "+invariant+": "+format, args...)
	w.faults = append(w.faults, fmt.Sprintf("%s at %s: ", invariant, w.now)+fmt.Sprintf(format, args...))
}

func (w *world) note(format string, args ...any) {
	if !w.tracing {
		return
	}
	if len(w.trace) >= 2*traceMax {
		w.trace = append(w.trace[:0], w.trace[traceMax:]...)
	}
	w.trace = append(w.trace, fmt.Sprintf("%14s ", w.now)+fmt.Sprintf(format, args...))
}
