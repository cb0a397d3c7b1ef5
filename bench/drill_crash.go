package bench

import (
	"context"
	"fmt"
	"time"
)

// Limits of the gap. A killed process is known at once by the refused connection; a frozen one only by its silence.
const (
	gapKill       = 100 * time.Millisecond
	gapFreeze     = 1300 * time.Millisecond
	gapSwitchover = 50 * time.Millisecond
)

func sigkill() plan {
	return plan{
		name: "sigkill", fault: "SIGKILL of the master",
		gapMax: gapKill, promotions: 1, errors: errorsInFlight,
		commit: func(ctx context.Context, s *scene) error {
			if err := s.kill(s.pair.Master); err != nil {
				return err
			}
			return s.waitPromotions(ctx, 1)
		},
	}
}

// secondFailover checks that the guard against flapping is none against a dead master with a synced replica.
func secondFailover() plan {
	return plan{
		name: "second-failover", fault: "the new master is killed 2 s after a failover, once its replica is in sync again",
		gapMax: gapKill, promotions: 2, errors: errorsInFlight,
		commit: func(ctx context.Context, s *scene) error {
			if err := s.kill(s.pair.Master); err != nil {
				return err
			}
			if err := s.waitPromotions(ctx, 1); err != nil {
				return err
			}
			if err := pause(ctx, 2*time.Second); err != nil {
				return err
			}
			if err := s.pair.Master.RestartEmpty(ctx); err != nil {
				return err
			}
			if err := s.waitSynced(ctx); err != nil {
				return err
			}
			if err := s.kill(s.pair.Replica); err != nil {
				return err
			}
			return s.waitPromotions(ctx, 2)
		},
	}
}

// soonAfter is when it is not long known that the demoted master streams from the new one.
const soonAfter = 150 * time.Millisecond

// switchoverKill kills the master that a switchover has just made. Who comes back empty must not wipe the one that was demoted.
func switchoverKill() plan {
	return plan{
		name: "switchover-kill", fault: "the new master is killed 150 ms after a switchover and is back at once, empty",
		gapMax: gapKill, promotions: 2, errors: errorsInFlight, converge: true,
		commit: func(ctx context.Context, s *scene) error {
			if _, err := s.daemon.Switchover(ctx); err != nil {
				return err
			}
			if err := pause(ctx, soonAfter); err != nil {
				return err
			}
			s.load.tally.fault()
			if err := s.pair.Replica.RestartEmpty(ctx); err != nil {
				return err
			}
			if err := s.waitPromotions(ctx, 2); err != nil {
				return err
			}
			if err := s.pair.Replica.WaitRole(ctx, "slave", servedMax); err != nil {
				return fmt.Errorf("demote the reborn master: %w", err)
			}
			return s.waitSynced(ctx)
		},
	}
}

func rebornEmpty() plan {
	return plan{
		name: "reborn-empty", fault: "the master is killed and restarted empty at once",
		gapMax: gapKill, promotions: 1, errors: errorsInFlight, converge: true,
		commit: func(ctx context.Context, s *scene) error {
			s.pair.Master.DelayCopies()
			s.load.tally.fault()
			if err := s.pair.Master.RestartEmpty(ctx); err != nil {
				return err
			}
			return s.reborn(ctx)
		},
	}
}

func rebornOld() plan {
	return plan{
		name: "reborn-old-snapshot", fault: "the master is killed and restarted at once from an older snapshot",
		gapMax: gapKill, promotions: 1, errors: errorsInFlight, converge: true,
		prepare: func(ctx context.Context, s *scene) error {
			if err := s.pair.Master.Save(ctx); err != nil {
				return err
			}
			return s.load.WaitServed(ctx, proof, servedMax)
		},
		commit: func(ctx context.Context, s *scene) error {
			s.pair.Master.DelayCopies()
			s.load.tally.fault()
			if err := s.pair.Master.RestartFromSnapshot(ctx); err != nil {
				return err
			}
			return s.reborn(ctx)
		},
	}
}

// drainDelay is how long the replica of the drain drill has bytes of its master unread: at thousands of writes a second,
// enough to lose hundreds.
const drainDelay = 100 * time.Millisecond

// drain kills the master while its replica has not read what was sent to it. A promotion that does not wait for the
// replica throws all of that away, although nothing of it was ever at risk.
func drain() plan {
	return plan{
		name: "drain", fault: "SIGKILL of the master while its replica is behind",
		gapMax: gapKill + drainDelay, promotions: 1, errors: errorsInFlight,
		commit: func(ctx context.Context, s *scene) error {
			if err := s.pair.Replica.Freeze(); err != nil {
				return err
			}
			if err := pause(ctx, drainDelay); err != nil {
				return err
			}
			if err := s.kill(s.pair.Master); err != nil {
				return err
			}
			if err := pause(ctx, drainDelay); err != nil {
				return err
			}
			if err := s.pair.Replica.Wake(); err != nil {
				return err
			}
			return s.waitPromotions(ctx, 1)
		},
	}
}

// kill notes the time, because a write acknowledged right before it may be lost by Redis itself.
func (s *scene) kill(server *Server) error {
	s.load.tally.fault()
	return server.Kill()
}

// reborn waits until the node that came back with other data is a replica like any other.
func (s *scene) reborn(ctx context.Context) error {
	if err := s.waitPromotions(ctx, 1); err != nil {
		return err
	}
	if err := s.pair.Master.WaitRole(ctx, "slave", servedMax); err != nil {
		return fmt.Errorf("demote the reborn master: %w", err)
	}
	return s.waitSynced(ctx)
}
