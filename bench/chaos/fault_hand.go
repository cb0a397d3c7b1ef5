package chaos

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// handFaults are what people do to servers behind the proxy's back.
func handFaults() []fault {
	return []fault{
		{name: "replica-by-hand", text: "somebody makes the replica a master and writes to it, beside the master that serves",
			promotions: nobody(), gapMax: gapKill, commit: promoteByHand},
		{name: "debug-restart", text: "DEBUG RESTART on the master: the same process begins anew, empty or from an older snapshot",
			promotions: once(), gapMax: gapKill, commit: restartInPlace("RESTART", 0)},
		{name: "crash-and-recover", text: "DEBUG CRASH-AND-RECOVER on the master, 20 ms long", promotions: once(), gapMax: gapKill,
			commit: restartInPlace("CRASH-AND-RECOVER", 20*time.Millisecond)},
	}
}

// promoteByHand makes a second master with values that no client may ever see. Nobody follows it, and it must be made a replica
// again, which throws them away.
func promoteByHand(ctx context.Context, c *cycle) error {
	upstart := c.spare[0]
	c.foreign++
	if _, err := upstart.Do(ctx, "REPLICAOF", "NO", "ONE"); err != nil {
		return err
	}
	// It may be a replica again before all is written, which is as it should be.
	if err := c.poison(ctx, upstart); err != nil && !errors.Is(err, errReply) {
		return err
	}
	return c.crew.served(ctx, provenOps, serveMax)
}

// restartInPlace lets the master's process replace itself, with the arguments it was started with: those of a master, or of a replica
// of somebody who may follow it by now. Its number stays, its data does not.
func restartInPlace(verb string, delay time.Duration) func(context.Context, *cycle) error {
	return func(ctx context.Context, c *cycle) error {
		if c.rng.IntN(2) == 0 { // without the transfer it was once filled with it comes back empty
			if err := os.Remove(filepath.Join(c.old.Dir(), "dump.rdb")); err != nil && !errors.Is(err, os.ErrNotExist) {
				return fmt.Errorf("empty the disk of %s: %w", c.old.Name, err)
			}
		}
		before, err := c.old.Info(ctx, "server")
		if err != nil {
			return err
		}
		answer, err := c.old.Do(ctx, "DEBUG", verb, fmt.Sprint(delay.Milliseconds()))
		if err == nil {
			return fmt.Errorf("DEBUG %s on %s: it answered %s", verb, c.old.Name, answer)
		}
		err = await(ctx, settleMax, func(ctx context.Context) error {
			info, err := c.old.Info(ctx, "server")
			if err == nil && info["run_id"] == before["run_id"] {
				err = fmt.Errorf("%s is the same as before", c.old.Name)
			}
			return err
		})
		if err != nil {
			return fmt.Errorf("DEBUG %s: %w", verb, err)
		}
		c.later(func(ctx context.Context) error { return syncAtOnce(ctx, c.old) })
		if err := c.addUser(ctx, c.old); err != nil {
			return err
		}
		return c.promoted(ctx, 1)
	}
}
