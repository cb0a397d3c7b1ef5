package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

const (
	// demoMax ends a demo that got stuck; an ordinary one takes about 20 s.
	demoMax = 55 * time.Second
	// demoMinGap replaces the default between two automatic failovers, since the demo's second fault comes seconds after
	// the first and a silent master is no proof of death.
	demoMinGap = time.Second
	// demoTraffic is how long undisturbed traffic is shown before each fault.
	demoTraffic = 1500 * time.Millisecond
)

// ErrBroken is returned when a promise was not held.
var ErrBroken = errors.New("a promise was broken")

// DemoOptions say which binary is shown to whom.
type DemoOptions struct {
	Binary  string
	Out     io.Writer
	Color   bool // a terminal that understands colours and can rewrite a line
	Clients int
}

// act is one fault of the demo.
type act struct {
	title  string
	short  string // in the table
	gapMax time.Duration
	clean  bool // not even an error in flight is excused
	commit func(context.Context, *demo) error
	repair func(context.Context, *demo) error
}

// result is what clients noticed of one act.
type result struct {
	act           act
	before, after int // clients, and those with the same connection after it
	errors        map[string]int
	readsFailed   int64
	gap           time.Duration
	receipt       *Receipt
}

// demo is a scene that a screen shows.
type demo struct {
	*scene
	screen *screen
	victim *Server   // the master at the beginning of the act
	frozen time.Time // when it was stopped
}

// Demo starts a real pair and the daemon on loopback, drives live traffic, and commits three faults while it shows what
// clients notice. It is nil only if every promise was held; nothing is left behind in any case.
func Demo(ctx context.Context, o DemoOptions) (err error) {
	ctx, cancel := context.WithTimeout(ctx, demoMax)
	defer cancel()
	d := &demo{screen: newScreen(o.Out, o.Color)}
	d.screen.printf("%s\n\n", d.screen.bold("Holdfast: a real Redis pair, live traffic, three failures"))
	d.scene, err = newScene(ctx, Options{Binary: o.Binary, Clients: o.Clients}, plan{daemon: DaemonOptions{Pool: "demo", MinGap: demoMinGap}})
	if err != nil {
		return fmt.Errorf("set the demo up: %w", err)
	}
	defer func() { err = errors.Join(err, d.close()) }()
	d.introduce()
	var results []result
	for _, a := range acts() {
		r, err := d.play(ctx, a)
		if err != nil {
			return fmt.Errorf("%s: %w\n%s", a.title, err, d.daemon.Tail(20))
		}
		results = append(results, r)
	}
	d.stopLoad()
	master, err := d.master(ctx)
	if err != nil {
		return err
	}
	checked, err := d.load.Verify(ctx, master)
	if err != nil {
		return err
	}
	promises := demoPromises(results, d.report.Counts, checked, d.load.tally.lossAge(), d.atRisk(ctx))
	d.screen.summary(results, d.report.Counts, checked, promises)
	return broken(promises)
}

// broken joins the promises that were not held into one error.
func broken(promises []Promise) error {
	var errs []error
	for _, p := range promises {
		if !p.Held {
			errs = append(errs, fmt.Errorf("%w: %s: %s", ErrBroken, p.Text, p.Got))
		}
	}
	return errors.Join(errs...)
}

func (d *demo) introduce() {
	d.screen.printf("  pair      %s (master), %s (replica), no persistence\n", d.pair.Master.Address(), d.pair.Replica.Address())
	d.screen.printf("  holdfast  %s, admin %s\n", d.daemon.Address(), d.daemon.Admin())
	d.screen.printf("  clients   %d, each named and in a database of its own choice; every reply is checked\n", d.load.opts.Clients)
}

// play shows traffic, commits the fault, measures what clients notice, and mends the pair.
func (d *demo) play(ctx context.Context, a act) (result, error) {
	d.screen.printf("\n%s\n", d.screen.bold(a.title))
	stop := d.live(ctx)
	defer stop()
	if err := pause(ctx, demoTraffic); err != nil {
		return result{}, err
	}
	status, err := d.daemon.Status(ctx)
	if err != nil {
		return result{}, err
	}
	if d.victim, err = d.master(ctx); err != nil {
		return result{}, err
	}
	connections, counts := d.load.connections(), d.load.Counts()
	r := result{act: a, before: d.load.kept(connections)}
	d.load.Mark()
	if err := a.commit(ctx, d); err != nil {
		return r, err
	}
	if err := d.waitPromotions(ctx, int(status.Epoch-d.epoch)+1); err != nil {
		return r, err
	}
	if err := d.load.WaitServed(ctx, proof, servedMax); err != nil {
		return r, err
	}
	if status, err = d.daemon.Status(ctx); err != nil {
		return r, err
	}
	r.receipt = status.Receipt
	r.measure(d.load, connections, counts)
	d.screen.outcome(r)
	err = a.repair(ctx, d)
	r.measure(d.load, connections, counts) // mending the pair must not be noticed either
	return r, err
}

// measure notes what clients have noticed since they had these connections and counts.
func (r *result) measure(l *Load, connections []int64, before Counts) {
	now := l.Counts()
	r.gap, r.after = l.tally.gap(), l.kept(connections)
	r.errors = make(map[string]int)
	for class, n := range now.Errors {
		r.errors[class] = n - before.Errors[class]
	}
	r.readsFailed = now.ReadsFailed - before.ReadsFailed
}
