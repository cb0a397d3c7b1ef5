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
			if err := freeze(ctx, s.pair.Master, 3*time.Second); err != nil {
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
		commit: func(ctx context.Context, s *scene) error { return freeze(ctx, s.pair.Master, 300*time.Millisecond) },
	}
}

// freeze stops a server for d.
func freeze(ctx context.Context, server *Server, d time.Duration) error {
	if err := server.Freeze(); err != nil {
		return err
	}
	if err := pause(ctx, d); err != nil {
		return err
	}
	return server.Wake()
}

// busyScript keeps the server's one thread busy for three seconds of processor time and changes nothing.
const busyScript = "local t = os.clock() while os.clock() - t < 3 do end return 'done'"

// slowMax bounds the answer to busyScript: three seconds of processor time take longer where processors are shared.
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
