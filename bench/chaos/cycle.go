package chaos

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"holdfast/bench"
)

const (
	// steadyOps and provenOps are how many successes each client must have before the fault, and after it.
	steadyOps = 5
	provenOps = 4
	// eventLines is how much of the daemon's log a failure quotes.
	eventLines = 40
)

// cycle is one fault on a rig, from steady load to judgement.
type cycle struct {
	*rig
	fault  fault
	name   string // seed and number, to find it again
	rng    *rand.Rand
	old    *bench.Server   // the master when it began
	spare  []*bench.Server // its replicas
	before bench.PoolStatus
	logs   logMarks // how far the nodes had written
	poised *poised
	window [2]int64
	served int64  // when the last promotion was seen to be over
	unread unread // what the replica had not read when its master was killed

	frozen  []*bench.Server
	restart restart // how dead nodes come back
	undo    []func(context.Context) error
	expect  *bench.Server // who must be promoted; nil: whoever is fit
	reset   bool          // the proxy was restarted: its counts begin anew
	foreign int           // promotions that the fault itself ordered
	flushed span          // when a client deleted everything
}

// restart is how heal brings a dead node back.
type restart uint8

const (
	restartAny      restart = iota // the seed decides between the next two
	restartReplica                 // as a careful operator does: a replica from its first moment
	restartBare                    // as a service manager does: a master of whatever is on its disk
	restartNotEmpty                // bare, with the data that its disk keeps
)

// run is the whole cycle. The error says that the rig is of no more use; what was broken is in the result.
func (r *rig) run(ctx context.Context, f fault, name string, seed uint64) (Result, error) {
	c := &cycle{rig: r, fault: f, name: name, rng: rand.New(rand.NewPCG(seed, 1)), restart: f.restart}
	res := Result{Cycle: name, Fault: f.name, Seed: seed}
	began := time.Now()
	if err := c.begin(ctx); err != nil {
		return res, fmt.Errorf("begin cycle %s: %w", name, err)
	}
	err := c.strike(ctx)
	if err != nil {
		r.crew.tally.broken(I11, "the fault did not run its course: %v", err)
	}
	unusable := c.settle(ctx)
	if unusable != nil {
		r.crew.tally.broken(I19, "%v", unusable)
	}
	judgeErr := c.judge(ctx, &res)
	res.Seconds = time.Since(began).Seconds()
	if !res.Held {
		res.Log, res.Notes = events(r.daemon.Tail(eventLines), began), append(res.Notes, c.serverLogs()...)
	}
	return res, errors.Join(err, unusable, judgeErr)
}

// begin gives every book a new page and waits for steady load.
func (c *cycle) begin(ctx context.Context) (err error) {
	if c.logs, err = c.markLogs(); err != nil {
		return err
	}
	status, err := c.daemon.Status(ctx)
	if err != nil {
		return err
	}
	c.before = status
	if c.old, err = c.named(status.Master); err != nil {
		return err
	}
	c.spare = c.others(c.old)
	c.crew.quiet.Lock()
	c.crew.tally.take()
	c.crew.begin(c.name)
	c.crew.excuse(c.fault.errors)
	c.crew.struck.Store(0)
	c.crew.calmed.Store(0)
	c.crew.quiet.Unlock()
	c.crew.tally.resume()
	if c.judged > 0 && status.Epoch != c.judged {
		c.crew.tally.broken(I10, "between two cycles the epoch went from %d to %d", c.judged, status.Epoch)
	}
	if err := c.crew.served(ctx, steadyOps, serveMax); err != nil {
		return err
	}
	if c.fault.prepare != nil {
		if err := c.fault.prepare(ctx, c); err != nil {
			return err
		}
	}
	c.poised, err = c.poise(ctx)
	return err
}

// strike commits the fault and returns when every client is served again.
func (c *cycle) strike(ctx context.Context) error {
	c.crew.tally.mark()
	c.window[0] = c.crew.tally.now()
	c.crew.struck.Store(c.window[0])
	err := c.fault.commit(ctx, c)
	if err == nil && !c.fault.denies {
		err = c.crew.served(ctx, provenOps, serveMax)
	}
	c.window[1] = c.crew.tally.now()
	return err
}

// settle repairs what the fault broke and waits until everything is as it should be.
func (c *cycle) settle(ctx context.Context) error {
	var errs []error
	for i := len(c.undo) - 1; i >= 0; i-- {
		errs = append(errs, c.undo[i](ctx))
	}
	if c.network != nil {
		errs = append(errs, c.network.heal(ctx))
	}
	for _, s := range c.frozen {
		errs = append(errs, s.Wake())
	}
	errs = append(errs, c.revive(ctx))
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("heal: %w", err)
	}
	if err := await(ctx, settleMax, c.converged); err != nil {
		return fmt.Errorf("converge: %w", err)
	}
	if err := c.crew.served(ctx, provenOps, serveMax); err != nil {
		return fmt.Errorf("serve everybody after the fault: %w", err)
	}
	if c.fault.denies {
		c.window[1] = c.crew.tally.now()
	}
	c.crew.calmed.Store(c.crew.tally.now())
	return nil
}

// revive starts what is dead: the proxy first, so that nodes find somebody who tells them their role.
func (c *cycle) revive(ctx context.Context) error {
	if !c.daemon.Alive() {
		c.reset = true
		if err := c.daemon.Start(); err != nil {
			return err
		}
	}
	for _, s := range c.servers {
		if s.Alive() {
			continue
		}
		if err := c.bringBack(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// bringBack starts one dead node in the way of the fault.
func (c *cycle) bringBack(ctx context.Context, s *bench.Server) error {
	if err := c.startAgain(ctx, s); err != nil {
		return err
	}
	return syncAtOnce(ctx, s)
}

// reborn starts the old master in the place where it died, with the delay of its full copies that servers have by default: without
// it a replica that happens to call within a few ms is emptied before anybody can know.
func (c *cycle) reborn(ctx context.Context) error {
	c.restart = restartBare
	c.later(func(ctx context.Context) error { return syncAtOnce(ctx, c.old) })
	return c.startAgain(ctx, c.old)
}

func (c *cycle) startAgain(ctx context.Context, s *bench.Server) error {
	how := c.restart
	if how == restartAny {
		how = restartReplica + restart(c.rng.IntN(2))
	}
	if c.flavour.disk == "" {
		// A replica keeps the transfer it was filled with as a snapshot, which is nobody's wish here.
		if err := os.Remove(filepath.Join(s.Dir(), "dump.rdb")); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("empty the disk of %s: %w", s.Name, err)
		}
	}
	s.Follow(nil)
	if how == restartReplica {
		if master, err := c.master(ctx); err == nil && master != s {
			s.Follow(master)
		}
	}
	if err := s.Start(ctx); err != nil {
		return err
	}
	return c.addUser(ctx, s)
}

// converged objects as long as the daemon has work left or a node is not what it must be.
func (c *cycle) converged(ctx context.Context) error {
	status, err := c.daemon.Status(ctx)
	if err != nil {
		return err
	}
	if status.State != "serving" || status.Gate != "open" || status.Held > 0 {
		return fmt.Errorf("pool is %s (%s), gate %s, %d held", status.State, status.Why, status.Gate, status.Held)
	}
	for _, b := range status.Backends {
		if b.Name != status.Master && !b.InSync {
			return fmt.Errorf("%s is not in sync: %s %s %s", b.Name, b.Role, b.Verdict, b.Why)
		}
	}
	return nil
}

// serverLogs are the ends of what the nodes wrote, for the report of a failure.
func (c *cycle) serverLogs() (all []string) {
	for _, s := range c.servers {
		all = append(all, s.Name+":\n"+s.Tail(6))
	}
	return all
}

// promoted waits until the pool serves, n promotions after the cycle began.
func (c *cycle) promoted(ctx context.Context, n int) error {
	defer func() { c.served = c.crew.tally.now() }()
	return await(ctx, serveMax, func(ctx context.Context) error {
		status, err := c.daemon.Status(ctx)
		if err != nil {
			return err
		}
		if status.Epoch < c.before.Epoch+uint64(n) || status.Gate != "open" {
			return fmt.Errorf("pool is %s (%s), gate %s, epoch %d of %d", status.State, status.Why, status.Gate, status.Epoch,
				c.before.Epoch+uint64(n))
		}
		return nil
	})
}

// freeze stops a node until it is woken, at the end of the cycle at the latest.
func (c *cycle) freeze(s *bench.Server) error {
	c.frozen = append(c.frozen, s)
	return s.Freeze()
}

// later remembers what undoes the fault.
func (c *cycle) later(f func(context.Context) error) { c.undo = append(c.undo, f) }

// onMaster writes directly to the present master, in the database of the poised connections.
func (c *cycle) onMaster(request ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), queryMax)
	defer cancel()
	master, err := c.master(ctx)
	if err != nil {
		return err
	}
	raw, err := master.Dial(ctx)
	if err != nil {
		return err
	}
	defer raw.Close()
	w := newWire(raw)
	if err := w.selectPoised(); err != nil {
		return err
	}
	_, err = w.must(request...)
	return err
}
