package chaos

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"holdfast/bench"
)

// Bounds of the pause. A process that died is known at once; one that hangs only by its silence, which is 1 s by default. They
// leave room for a machine whose few processors carry servers, proxy and clients of several rigs.
const (
	gapKill   = 1500 * time.Millisecond
	gapFreeze = 3 * time.Second
)

// once is exactly one promotion, never none, perhaps either.
func once() [2]int    { return [2]int{1, 1} }
func nobody() [2]int  { return [2]int{0, 0} }
func perhaps() [2]int { return [2]int{0, 1} }

func processFaults() []fault {
	return []fault{
		{name: "sigkill", text: "SIGKILL of the master", promotions: once(), gapMax: gapKill, commit: killMaster},
		{name: "sigkill-behind", text: "SIGKILL of the master while its replica has not read all", promotions: once(),
			gapMax: gapKill + 2*behindFor, flavour: flavour{lossy: true}, commit: killBehind(behindFor)},
		{name: "sigkill-drain", text: "SIGKILL of the master while all it has sent lies unread at its replica", promotions: once(),
			gapMax: gapKill + hastyMax, flavour: flavour{lossy: true}, commit: killUnread},
		{name: "sigkill-overflow", text: "SIGKILL of the master while more is owed to its replica than the kernel's buffers hold",
			promotions: once(), gapMax: gapFreeze, flavour: flavour{lossy: true}, commit: killBehind(overflowFor)},
		{name: "sigterm", text: "SIGTERM of the master", promotions: once(), gapMax: gapFreeze, commit: terminateMaster},
		{name: "segfault", text: "DEBUG SEGFAULT on the master", promotions: once(), gapMax: gapKill, commit: segfaultMaster},
		{name: "sigstop-50ms", text: "SIGSTOP of the master for 50 ms", promotions: nobody(), gapMax: gapKill,
			commit: freezeMaster(50*time.Millisecond, 0)},
		{name: "sigstop-300ms", text: "SIGSTOP of the master for 300 ms", promotions: nobody(), gapMax: gapKill + 300*time.Millisecond,
			commit: freezeMaster(300*time.Millisecond, 0)},
		{name: "sigstop-1s", text: "SIGSTOP of the master for 1 s, which is its silence", promotions: perhaps(), gapMax: gapFreeze,
			commit: freezeMaster(time.Second, 0)},
		{name: "sigstop", text: "SIGSTOP of the master until it is replaced", promotions: once(), gapMax: gapFreeze,
			commit: freezeMaster(0, 1)},
		{name: "sigstop-3s", text: "SIGSTOP of the master for 3 s", promotions: once(), gapMax: gapFreeze,
			commit: freezeMaster(3*time.Second, 1)},
		{name: "sigstop-30s", text: "SIGSTOP of the master for 30 s", promotions: once(), gapMax: gapFreeze,
			commit: freezeMaster(30*time.Second, 1)},
		{name: "replica-sigkill", text: "SIGKILL of the replica", promotions: nobody(), gapMax: gapKill,
			commit: func(_ context.Context, c *cycle) error { return c.spare[0].Kill() }},
		{name: "replica-sigstop", text: "SIGSTOP of the replica for 400 ms", promotions: nobody(), gapMax: gapKill, commit: freezeReplica},
	}
}

func killMaster(ctx context.Context, c *cycle) error {
	if err := c.old.Kill(); err != nil {
		return err
	}
	return c.promoted(ctx, 1)
}

// behindFor is how long the replica has bytes of its master unread.
const behindFor = 20 * time.Millisecond

// overflowFor is so long that the master must keep part of the stream in its own memory, which dies with it.
const overflowFor = 500 * time.Millisecond

// killBehind needs the drain: what the replica has not read was acknowledged.
func killBehind(behind time.Duration) func(context.Context, *cycle) error {
	return func(ctx context.Context, c *cycle) error {
		replica := c.spare[0]
		if err := c.freeze(replica); err != nil {
			return err
		}
		if err := c.ballast(ctx); err != nil {
			return err
		}
		if err := pause(ctx, behind); err != nil {
			return err
		}
		if err := c.old.Kill(); err != nil {
			return err
		}
		if err := pause(ctx, behindFor); err != nil {
			return err
		}
		if err := replica.Wake(); err != nil {
			return fmt.Errorf("wake the replica: %w", err)
		}
		return c.promoted(ctx, 1)
	}
}

const (
	// ballastCount values of ballastSize bytes lie before the clients' writes in the stream: some milliseconds of reading for the
	// replica, and little enough for the kernel's buffers, where they outlive the master.
	ballastCount = 24
	ballastSize  = 16 << 10
)

// ballast gives the replica something to read first.
func (c *cycle) ballast(ctx context.Context) error {
	value := strings.Repeat("b", ballastSize)
	for range ballastCount {
		if _, err := c.old.Do(ctx, "SET", "rig:ballast", value); err != nil {
			return err
		}
	}
	return nil
}

func terminateMaster(ctx context.Context, c *cycle) error {
	if err := c.old.Terminate(); err != nil {
		return err
	}
	return c.promoted(ctx, 1)
}

func segfaultMaster(ctx context.Context, c *cycle) error {
	if _, err := c.old.Do(ctx, "DEBUG", "SEGFAULT"); err == nil {
		return fmt.Errorf("crash %s: it answered", c.old.Name)
	}
	if err := c.ended(ctx, c.old); err != nil {
		return err
	}
	return c.promoted(ctx, 1)
}

// freezeMaster stops the master for d, or until it is replaced and a little longer, when d is 0.
func freezeMaster(d time.Duration, promotions int) func(context.Context, *cycle) error {
	return func(ctx context.Context, c *cycle) error {
		woken := time.Now().Add(d)
		if err := c.freeze(c.old); err != nil {
			return err
		}
		if promotions > 0 {
			if err := c.promoted(ctx, promotions); err != nil {
				return err
			}
			if err := c.crew.served(ctx, provenOps, serveMax); err != nil {
				return err
			}
		}
		rest := time.Until(woken)
		if d == 0 {
			rest = time.Duration(c.rng.IntN(100)) * time.Millisecond
		}
		if err := pause(ctx, rest); err != nil {
			return err
		}
		return c.old.Wake()
	}
}

func freezeReplica(ctx context.Context, c *cycle) error {
	if err := c.freeze(c.spare[0]); err != nil {
		return err
	}
	if err := c.crew.served(ctx, provenOps, serveMax); err != nil {
		return err
	}
	return pause(ctx, 400*time.Millisecond)
}

// rebornFaults are masters that come back by themselves, sooner or later, with less data than they had.
func rebornFaults() (all []fault) {
	for _, delay := range []time.Duration{0, 30 * time.Millisecond, 500 * time.Millisecond, 2 * time.Second, 4900 * time.Millisecond} {
		ms := delay.Milliseconds()
		all = append(all,
			fault{name: fmt.Sprintf("reborn-empty-%dms", ms), text: fmt.Sprintf("the master is killed and comes back empty after %d ms", ms),
				promotions: once(), gapMax: gapKill, commit: rebirth(delay)},
			fault{name: fmt.Sprintf("reborn-rdb-%dms", ms), text: fmt.Sprintf("it comes back from an older snapshot after %d ms", ms),
				flavour: flavour{disk: "rdb"}, promotions: once(), gapMax: gapKill, prepare: saveEarlier, commit: rebirth(delay)},
			fault{name: fmt.Sprintf("reborn-aof-%dms", ms), text: fmt.Sprintf("it comes back with its append-only file after %d ms", ms),
				flavour: flavour{disk: "aof"}, promotions: once(), gapMax: gapKill, commit: rebirthWithData(delay)})
	}
	return append(all, fault{name: "reborn-unseen", text: "it comes back empty while the proxy is stopped and sees nothing of it",
		promotions: once(), gapMax: gapFreeze, commit: rebornUnseen})
}

// rebornUnseen leaves the proxy with a node that answers at the right address and says that it is a master.
func rebornUnseen(ctx context.Context, c *cycle) error {
	if err := c.daemon.Freeze(); err != nil {
		return err
	}
	err := c.old.Kill()
	if err == nil {
		err = c.reborn(ctx)
	}
	if err := errors.Join(err, c.daemon.Wake()); err != nil {
		return err
	}
	return c.promoted(ctx, 1)
}

// saveEarlier writes the snapshot that will be too old.
func saveEarlier(ctx context.Context, c *cycle) error {
	if err := c.old.Save(ctx); err != nil {
		return err
	}
	return c.crew.served(ctx, steadyOps, serveMax)
}

// rebirth restarts the master as a service manager does: the same address and arguments, and the role of a master.
func rebirth(delay time.Duration) func(context.Context, *cycle) error {
	return func(ctx context.Context, c *cycle) error {
		if err := c.old.Kill(); err != nil {
			return err
		}
		if err := pause(ctx, delay); err != nil {
			return err
		}
		if err := c.reborn(ctx); err != nil {
			return err
		}
		return c.promoted(ctx, 1)
	}
}

// rebirthWithData: an append-only file keeps the data and not the lineage. Such a master is left alone until a person makes it a
// replica, which is done here once clients are served by the other.
func rebirthWithData(delay time.Duration) func(context.Context, *cycle) error {
	return func(ctx context.Context, c *cycle) error {
		if err := rebirth(delay)(ctx, c); err != nil {
			return err
		}
		if err := c.crew.served(ctx, provenOps, serveMax); err != nil {
			return err
		}
		next, err := c.master(ctx)
		if err != nil {
			return err
		}
		host, port, err := net.SplitHostPort(next.Address())
		if err != nil {
			return err
		}
		_, err = c.old.Do(ctx, "REPLICAOF", host, port)
		return err
	}
}

// multiFaults strike twice, or need a third node to choose from.
func multiFaults() []fault {
	three := flavour{nodes: 3}
	return []fault{
		{name: "sigkill-of-three", text: "SIGKILL of the master of three nodes", flavour: three, promotions: once(), gapMax: gapKill,
			commit: killMaster},
		{name: "double-sigkill", text: "SIGKILL of the master and of one of two replicas at once", flavour: three, promotions: once(),
			gapMax: gapKill, commit: killTwo},
		{name: "second-sigkill", text: "SIGKILL of the new master as soon as the last node streams from it", flavour: three,
			promotions: [2]int{2, 2}, gapMax: gapFreeze, commit: killAgain},
		{name: "second-sigstop", text: "SIGSTOP of the new master for 1.5 s while clients are released to it", flavour: three,
			promotions: [2]int{1, 2}, gapMax: gapFreeze, commit: freezeNext},
		{name: "stale-replica", text: "SIGKILL of the master while one of two replicas is behind", flavour: three, promotions: once(),
			gapMax: gapFreeze, commit: killWithStale},
		{name: "third-party", text: "FAILOVER by somebody else", promotions: nobody(), adoptions: once(), gapMax: gapFreeze,
			commit: foreignFailover},
		{name: "switchover", text: "planned switchover", promotions: once(), gapMax: gapKill, clean: true, commit: switchover},
		{name: "switchover-sigkill", text: "planned switchover during which the master is killed", promotions: once(), gapMax: gapFreeze,
			commit: switchoverKill},
	}
}

func killTwo(ctx context.Context, c *cycle) error {
	if err := c.spare[c.rng.IntN(len(c.spare))].Kill(); err != nil {
		return err
	}
	return killMaster(ctx, c)
}

// killAgain waits for a replica that may be promoted: what a lone new master has taken, nobody else has.
func killAgain(ctx context.Context, c *cycle) error {
	if err := killMaster(ctx, c); err != nil {
		return err
	}
	next, err := c.master(ctx)
	if err != nil {
		return err
	}
	if err := await(ctx, settleMax, c.someSynced); err != nil {
		return err
	}
	if err := next.Kill(); err != nil {
		return err
	}
	return c.promoted(ctx, 2)
}

// someSynced objects until one replica is proven in sync.
func (c *cycle) someSynced(ctx context.Context) error {
	status, err := c.daemon.Status(ctx)
	if err != nil {
		return err
	}
	for _, b := range status.Backends {
		if b.Name != status.Master && b.InSync {
			return nil
		}
	}
	return fmt.Errorf("no replica is in sync with %s", status.Master)
}

// freezeNext stops the new master where nobody else can take over yet, so that waiting is all there is to do.
func freezeNext(ctx context.Context, c *cycle) error {
	if err := killMaster(ctx, c); err != nil {
		return err
	}
	next, err := c.master(ctx)
	if err != nil {
		return err
	}
	if err := pause(ctx, time.Duration(c.rng.IntN(20))*time.Millisecond); err != nil {
		return err
	}
	if err := c.freeze(next); err != nil {
		return err
	}
	if err := pause(ctx, 1500*time.Millisecond); err != nil {
		return err
	}
	return next.Wake()
}

// killWithStale: whoever has more data must be chosen, not whoever comes first.
func killWithStale(ctx context.Context, c *cycle) error {
	stale := c.rng.IntN(len(c.spare))
	if err := c.freeze(c.spare[stale]); err != nil {
		return err
	}
	if err := c.crew.served(ctx, steadyOps, serveMax); err != nil {
		return err
	}
	c.expect = c.spare[1-stale]
	return killMaster(ctx, c)
}

func foreignFailover(ctx context.Context, c *cycle) error {
	c.foreign++
	if _, err := c.old.Do(ctx, "FAILOVER", "TIMEOUT", "5000"); err != nil {
		return err
	}
	return c.promoted(ctx, 1)
}

func switchover(ctx context.Context, c *cycle) error {
	_, err := c.daemon.Switchover(ctx)
	return err
}

// switchoverKill kills the master a random moment into the switchover, which may be over by then.
func switchoverKill(ctx context.Context, c *cycle) error {
	done := make(chan error, 1)
	go order(ctx, c.daemon, done) // awaited below
	err := pause(ctx, time.Duration(c.rng.IntN(8000))*time.Microsecond)
	if err == nil {
		err = c.old.Kill()
	}
	<-done // given up, or done: both are right
	if err != nil {
		return err
	}
	return c.promoted(ctx, 1)
}

func order(ctx context.Context, d *bench.Daemon, done chan<- error) {
	_, err := d.Switchover(ctx)
	done <- err
}
