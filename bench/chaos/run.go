package chaos

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// Run commits the chosen faults in the order of the seed and returns what came of it. The error says that the run itself could
// not be done; promises that were broken are in the report.
func Run(ctx context.Context, o Options) (*Report, error) {
	lists, err := o.plan()
	if err != nil {
		return nil, err
	}
	if err := sweep(ctx); err != nil {
		return nil, err
	}
	if o.Progress == nil {
		o.Progress = io.Discard
	}
	r := newReport(o, lists)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var jobs sync.WaitGroup
	errs := make([]error, max(1, o.Jobs))
	for i := range errs {
		jobs.Add(1)
		go runJob(ctx, job{o: o, report: r, number: i, lists: lists, cancel: cancel}, &errs[i], &jobs) // awaited below
	}
	jobs.Wait()
	r.finish()
	return r, errors.Join(errs...)
}

// plan resolves the options to lists of tasks.
func (o *Options) plan() ([][]task, error) {
	if err := o.chooseWorkloads(); err != nil {
		return nil, err
	}
	if o.Seed == 0 {
		o.Seed = uint64(time.Now().UnixNano())
	}
	o.Jobs = max(1, o.Jobs)
	if o.Cycle != "" {
		t, found := find(o.Seed, o.Cycle)
		if !found {
			return nil, optionf("no cycle %q; a failed one is named FAULT-NUMBER", o.Cycle)
		}
		o.Jobs = 1
		return [][]task{{t}}, o.mayRun(map[string]int{t.fault.name: 1})
	}
	counts, err := o.chooseFaults()
	if err != nil {
		return nil, err
	}
	return schedule(o.Seed, counts), nil
}

// job is one of the rigs that run at the same time.
type job struct {
	o      Options
	report *Report
	number int
	lists  [][]task
	cancel context.CancelFunc
}

func runJob(ctx context.Context, j job, err *error, done *sync.WaitGroup) {
	defer done.Done()
	*err = j.run(ctx)
}

func (j job) run(ctx context.Context) error {
	for _, list := range j.lists {
		mine := share(list, j.number, j.o.Jobs)
		for len(mine) > 0 && j.more(ctx) {
			n, err := j.runRig(ctx, mine)
			if err != nil {
				return err
			}
			mine = mine[n:]
		}
	}
	return nil
}

func (j job) more(ctx context.Context) bool {
	return ctx.Err() == nil && (j.o.Duration == 0 || time.Since(j.report.Started) < j.o.Duration)
}

// runRig does tasks on one rig until they are done or the rig is of no more use, and says how many.
func (j job) runRig(ctx context.Context, tasks []task) (n int, err error) {
	rig, err := newRig(ctx, tasks[0].fault.flavour, j.o, j.o.Seed+uint64(j.number))
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, rig.close()) }()
	for n < len(tasks) && j.more(ctx) {
		t := tasks[n]
		n++
		res, broke := rig.run(ctx, t.fault, t.name, t.seed)
		if ctx.Err() != nil {
			return n, nil // interrupted: what was found is of no meaning
		}
		if broke != nil {
			res.Held, res.Notes = false, append(res.Notes, broke.Error())
		}
		if failed := j.report.add(res); j.o.Failures > 0 && failed >= j.o.Failures {
			fmt.Fprintf(j.o.Progress, "%d cycles have failed: the run ends\n", failed)
			j.cancel()
		}
		if j.o.until != nil && j.o.until(res) {
			j.cancel()
		}
		if broke != nil {
			return n, nil
		}
	}
	return n, nil
}
