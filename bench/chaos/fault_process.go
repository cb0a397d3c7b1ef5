package chaos

import (
	"context"
	"fmt"
	"time"
)

// Bounds of the pause. A process that died is known at once; one that hangs only by its silence, which is 1 s by default. They
// leave room for a machine whose few processors carry servers, proxy and clients of several rigs.
const (
	gapKill   = 500 * time.Millisecond
	gapFreeze = 2500 * time.Millisecond
)

// once is exactly one promotion, none is none.
var (
	once = [2]int{1, 1}
	none = [2]int{0, 0}
)

func processFaults() []fault {
	all := []fault{
		{name: "sigkill", text: "SIGKILL of the master", promotions: once, gapMax: gapKill, commit: killMaster},
		{name: "sigkill-behind", text: "SIGKILL of the master while its replica has not read all", promotions: once, gapMax: gapKill + 2*behindFor,
			commit: killBehind},
	}
	return all
}

func killMaster(ctx context.Context, c *cycle) error {
	if err := c.old.Kill(); err != nil {
		return err
	}
	return c.promoted(ctx, 1)
}

// behindFor is how long the replica has bytes of its master unread.
const behindFor = 60 * time.Millisecond

// killBehind needs the drain: what the replica has not read was acknowledged.
func killBehind(ctx context.Context, c *cycle) error {
	replica := c.spare[0]
	if err := c.freeze(replica); err != nil {
		return err
	}
	if err := pause(ctx, behindFor); err != nil {
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
