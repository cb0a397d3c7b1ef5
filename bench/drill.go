package bench

import (
	"context"
	"errors"
	"fmt"
	"time"
)

const (
	// drillHungAfter is shorter than the 30 s of a report, and longer than any wait a drill's fault can justify.
	drillHungAfter = 15 * time.Second
	// servedMax is how long a client may wait after a drill's fault is over. Beyond it the drill reports the failure.
	servedMax = 12 * time.Second
	// warmUp and proof are how many commands each client must have done before the fault, and again after it.
	warmUp = 60
	proof  = 40
)

// Options say what is drilled, and how hard.
type Options struct {
	Binary  string // the built holdfast
	Clients int
	Think   time.Duration
	Seed    uint64
}

// Drill is one fault and the promises that must survive it.
type Drill struct {
	Name  string
	Fault string
	run   func(context.Context, Options) (Report, error)
}

// Run commits the fault on servers of its own. The error says that the drill itself could not be done; what the fault did
// is in the report.
func (d Drill) Run(ctx context.Context, o Options) (Report, error) {
	r, err := d.run(ctx, o)
	r.Drill, r.Fault = d.Name, d.Fault
	if err != nil {
		return r, fmt.Errorf("drill %s: %w", d.Name, err)
	}
	return r, nil
}

// Drills are all faults, in the order in which they are best read.
func Drills() []Drill {
	var all []Drill
	for _, p := range []plan{sigkill(), drain(), sigstop(), sigstopShort(), slowCommand(), secondFailover(), rebornEmpty(), rebornOld(),
		switchovers(), switchoverKill(), bothDead(), bothDeadTooLong(), restartSwapped(), sidecar(), hostile()} {
		all = append(all, Drill{Name: p.name, Fault: p.fault, run: p.run})
	}
	return append(all, Drill{Name: "tcp", Fault: "the backend of a byte stream pool dies, then both", run: runTCP})
}

// errorRule says which errors a fault excuses.
type errorRule uint8

const (
	errorsNone     errorRule = iota // not one
	errorsInFlight                  // writes in flight at that instant, one operation a client and promotion; reads none
	errorsHeldLong                  // past max_wait each held request is refused with TRYAGAIN
	errorsRestart                   // connections that break with the proxy, and nothing else
)

// plan is a drill on Redis servers behind holdfast under load.
type plan struct {
	name, fault string
	pair        PairOptions
	daemon      DaemonOptions
	build       func(context.Context, *scene) error            // starts the proxies; nil: one daemon in front of the pair
	prepare     func(context.Context, *scene) error            // runs under load, before the measured window
	commit      func(context.Context, *scene) error            // the fault
	final       func(context.Context, *scene) (*Server, error) // nil: whom the daemon calls the master
	gapMax      time.Duration
	promotions  int // exactly; -1: not judged
	errors      errorRule
	interval    time.Duration                       // as in LoadOptions
	strangers   bool                                // others use the pool, too: receipts count more than our clients saw
	after       func(context.Context, *scene) error // runs under load, when all clients are served again
	converge    bool                                // all nodes must hold the same data in the end
}

// run builds the scene, commits the fault under load, and judges.
func (p plan) run(ctx context.Context, o Options) (r Report, err error) {
	s, err := newScene(ctx, o, p)
	if err != nil {
		return Report{}, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if p.prepare != nil {
		if err := p.prepare(ctx, s); err != nil {
			return s.report, err
		}
	}
	before := s.load.connections()
	s.report.ClientsBefore = s.load.kept(before)
	s.load.Mark()
	if err := p.commit(ctx, s); err != nil {
		s.report.promise(false, "the fault runs its course", "%v", err)
	}
	err = s.load.WaitServed(ctx, proof, servedMax)
	s.report.promise(err == nil, "all clients are served again", "%s", orYes(err))
	s.report.ClientsAfter = s.load.kept(before)
	s.report.Gap, s.report.Stall = s.load.tally.gap(), time.Duration(s.load.tally.stallMax.Load())
	s.report.Noise = time.Duration(s.load.tally.noiseMax.Load())
	if p.after != nil {
		if err := p.after(ctx, s); err != nil {
			s.report.promise(false, "the scene comes to rest", "%v", err)
		}
	}
	s.stopLoad()
	if err := s.verify(ctx, p); err != nil {
		s.report.promise(false, "the data can be verified", "%v", err)
	}
	s.judge(p)
	s.report.Log = s.daemon.Tail(40)
	return s.report, nil
}

// verify reads the final master and asks the daemon what it did.
func (s *scene) verify(ctx context.Context, p plan) error {
	status, err := s.daemon.Status(ctx)
	if err != nil {
		return err
	}
	s.report.Promotions, s.report.Receipt = int(status.Epoch)-int(s.epoch), status.Receipt
	if p.build != nil {
		s.report.Promotions = 0
	}
	master, err := s.finalMaster(ctx, p)
	if err != nil {
		return err
	}
	if s.report.Verification, err = s.load.Verify(ctx, master); err != nil {
		return err
	}
	s.report.LossAge = s.load.tally.lossAge()
	s.report.AtRisk = s.atRisk(ctx)
	if p.converge {
		err := s.pair.Converged(ctx, master, servedMax)
		s.report.promise(err == nil, "all nodes hold the same data in the end", "%s", orYes(err))
	}
	return nil
}

// atRisk sums what the receipts of all proxies that still answer declare at risk.
func (s *scene) atRisk(ctx context.Context) (n int) {
	for _, d := range s.daemons {
		receipts, err := d.Failovers(ctx)
		if err != nil {
			continue // a proxy that the drill has killed
		}
		for _, r := range receipts {
			n += r.AtRisk
		}
	}
	return n
}

func (s *scene) finalMaster(ctx context.Context, p plan) (*Server, error) {
	if p.final != nil {
		return p.final(ctx, s)
	}
	return s.master(ctx)
}

// orYes is the text of a condition: what was missing, or yes.
func orYes(err error) string {
	if err != nil {
		return err.Error()
	}
	return "yes"
}
