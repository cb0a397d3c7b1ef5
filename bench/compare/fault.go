package compare

import (
	"context"
	"time"
)

// Names of the faults.
const (
	Kill       = "kill"
	Restart    = "restart"
	Freeze     = "freeze"
	Hang       = "hang"
	Switchover = "switchover"
)

const (
	// freezeFor is how long a server is stopped: longer than the tuned detection, shorter than a client's time-out.
	freezeFor = 3 * time.Second
	// hangFor is longer than the client's time-out of 5 s, so that the library gives up, connects again and retries.
	hangFor = 7 * time.Second
	// restartAfter is what systemd waits by default before it starts a service again.
	restartAfter = 100 * time.Millisecond
	// settle is how long a scene is watched after its clients are served again. After a freeze it has to be longer: a Sentinel
	// looks at a master that came back for eight seconds before it demotes it, and what is written there meanwhile is lost.
	settle, settleFreeze = 2 * time.Second, 11 * time.Second
	// healMax is how long a scene may take to serve its clients again: more than the default of Sentinel, and less for those
	// who have nobody to wait for.
	healMax, healDirect = 50 * time.Second, 6 * time.Second
)

// fault is what happens to the master of a scene under load.
type fault struct {
	name, what string
	later      bool // some contenders begin it after commit has returned
	settle     time.Duration
	skip       []string // contenders that have no such thing
	commit     func(context.Context, *scene) error
	repair     func(context.Context, *scene) error // awaited beside the load; nil: nothing
}

func faults() []fault {
	return []fault{
		{
			name: Kill, what: "SIGKILL of the master, which stays dead", settle: settle,
			commit: func(_ context.Context, s *scene) error { return s.pair.Master.Kill() },
		},
		{
			name: Restart, what: "SIGKILL of the master; its service manager starts it again 100 ms later, empty", settle: settle,
			commit: func(_ context.Context, s *scene) error { return s.pair.Master.Kill() },
			repair: func(ctx context.Context, s *scene) error {
				if err := pause(ctx, restartAfter); err != nil {
					return err
				}
				s.pair.Master.DelayCopies()
				return s.pair.Master.Start(ctx)
			},
		},
		{
			name: Freeze, what: "SIGSTOP of the master, woken 3 s later", settle: settleFreeze,
			commit: func(_ context.Context, s *scene) error { return s.pair.Master.Freeze() },
			repair: func(ctx context.Context, s *scene) error { return s.wakeAfter(ctx, freezeFor) },
		},
		{
			name: Hang, what: "SIGSTOP of the master, woken 7 s later, after the time-out of the clients", settle: settleFreeze,
			commit: func(_ context.Context, s *scene) error { return s.pair.Master.Freeze() },
			repair: func(ctx context.Context, s *scene) error { return s.wakeAfter(ctx, hangFor) },
		},
		{
			name: Switchover, later: true, what: "Planned change of the master. SENTINEL FAILOVER returns before it has begun, so that " +
				"first success and last client say nothing there", settle: settleFreeze, skip: []string{Direct},
			commit: func(ctx context.Context, s *scene) error { return s.switchover(ctx) },
		},
	}
}

func (s *scene) wakeAfter(ctx context.Context, d time.Duration) error {
	if err := pause(ctx, d); err != nil {
		return err
	}
	return s.pair.Master.Wake()
}

// healMax is how long the contender may take.
func (c contender) healMax() time.Duration {
	if c.name == Direct {
		return healDirect
	}
	return healMax
}

// pause lasts d, or less when ctx ends. It gives a fault its length.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
