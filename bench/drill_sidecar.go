package bench

import (
	"context"
	"time"
)

// gapProxy is the longest gap when the first of two proxies dies: refused at once, but each session moves through two
// proxies.
const gapProxy = 500 * time.Millisecond

// sidecar puts one ordered proxy in front of two: one that promotes and one that follows. The first of the two dies.
func sidecar() plan {
	return plan{
		name: "sidecar", fault: "SIGKILL of the first of two proxies behind a sidecar",
		gapMax: gapProxy, promotions: -1, errors: errorsInFlight,
		build: func(ctx context.Context, s *scene) error {
			first, err := s.addDaemon(ctx, DaemonOptions{Name: "first", Backends: s.pair.refs()})
			if err != nil {
				return err
			}
			second, err := s.addDaemon(ctx, DaemonOptions{Name: "second", Backends: s.pair.refs(), Failover: "follow"})
			if err != nil {
				return err
			}
			s.daemon, err = s.addDaemon(ctx, DaemonOptions{Name: "sidecar", Failover: "ordered", Backends: []BackendRef{
				{Name: "first", Address: first.Address()}, {Name: "second", Address: second.Address()}}})
			return err
		},
		commit: func(ctx context.Context, s *scene) error { return s.daemons[0].Kill() },
		final:  func(_ context.Context, s *scene) (*Server, error) { return s.pair.Master, nil },
	}
}
