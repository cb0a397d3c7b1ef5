package bench

import (
	"context"
	"fmt"
	"time"
)

func sigstop() plan {
	return plan{
		name: "sigstop-3s", fault: "SIGSTOP of the master, woken 3 s later",
		gapMax: gapFreeze, promotions: 1, errors: errorsInFlight, converge: true,
		commit: func(ctx context.Context, s *scene) error {
			if err := s.freeze(ctx, s.pair.Master, 3*time.Second); err != nil {
				return err
			}
			if err := s.pair.Master.WaitRole(ctx, "slave", servedMax); err != nil {
				return fmt.Errorf("demote the woken master: %w", err)
			}
			return s.waitSynced(ctx)
		},
	}
}

func sigstopShort() plan {
	return plan{
		name: "sigstop-300ms", fault: "SIGSTOP of the master for 300 ms",
		gapMax: gapFreeze, promotions: 0, errors: errorsNone,
		commit: func(ctx context.Context, s *scene) error { return s.freeze(ctx, s.pair.Master, 300*time.Millisecond) },
	}
}

// freeze stops a server for d.
func (s *scene) freeze(ctx context.Context, server *Server, d time.Duration) error {
	s.load.tally.fault()
	if err := server.Freeze(); err != nil {
		return err
	}
	if err := pause(ctx, d); err != nil {
		return err
	}
	return server.Wake()
}

// busyScript keeps the server's one thread busy for three seconds and changes nothing. The count ends it on servers that
// freeze the time a script sees.
const busyScript = `local from, n, now = redis.call('TIME'), 0, nil
repeat now = redis.call('TIME') n = n + 1 until (now[1] - from[1]) * 1000000 + now[2] - from[2] >= 3000000 or n > 20000000
return 'done'`

// slowMax bounds the answer to busyScript.
const slowMax = 12 * time.Second

func slowCommand() plan {
	return plan{
		name: "slow-command", fault: "a script of 3 s in flight through Holdfast",
		promotions: 0, errors: errorsNone,
		commit: func(ctx context.Context, s *scene) error {
			c, err := dial(ctx, s.daemon.Address())
			if err != nil {
				return err
			}
			defer c.Close()
			rep, err := c.do(slowMax, "EVAL", busyScript, "0")
			if err != nil {
				return fmt.Errorf("slow command: %w", err)
			}
			s.report.promise(rep.text == "done", "the slow command gets its own answer", "%s", rep)
			return nil
		},
	}
}

func switchovers() plan {
	return plan{
		name: "switchover-x3", fault: "three planned switchovers in a row",
		gapMax: gapSwitchover, promotions: 3, errors: errorsNone, converge: true,
		commit: func(ctx context.Context, s *scene) error {
			for range 3 {
				if _, err := s.daemon.Switchover(ctx); err != nil {
					return err
				}
			}
			return nil
		},
	}
}
