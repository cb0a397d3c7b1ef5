package compare

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"holdfast/bench"
)

// Names of the contenders, in the order of the report.
const (
	Direct         = "direct"
	SentinelClient = "sentinel client"
	HAProxyDefault = "haproxy default"
	HAProxyTuned   = "haproxy tuned"
	Holdfast       = "holdfast"
)

// The tuned times. Sentinel's documentation and its users agree on one second as the least that does not fail over for nothing,
// and its own floor below that is another second.
const (
	tunedDownAfter       = time.Second
	tunedFailoverTimeout = 5 * time.Second
)

// contender is one way to reach the master of a pair.
type contender struct {
	name string
	what string
	up   func(context.Context, *scene) error
}

func contenders() []contender {
	return []contender{
		{Direct, "a client library that knows one address: the first master's. Nobody promotes.", upDirect},
		{
			SentinelClient, "the client library asks three Sentinels (down-after 1 s) who the master is; no proxy.",
			func(ctx context.Context, s *scene) error {
				return s.startSentinels(ctx, tunedDownAfter, tunedFailoverTimeout)
			},
		},
		{
			HAProxyDefault, "HAProxy with role checks, three Sentinels; every time as it comes: inter 2 s, fall 3, rise 2, down-after 30 s.",
			func(ctx context.Context, s *scene) error {
				return errors.Join(s.startSentinels(ctx, 0, 0), s.startHAProxy(ctx, false))
			},
		},
		{
			HAProxyTuned, "the same, tuned: checks every 200 ms, fall 2, rise 1, on-marked-down shutdown-sessions, down-after 1 s.",
			func(ctx context.Context, s *scene) error {
				return errors.Join(s.startSentinels(ctx, tunedDownAfter, tunedFailoverTimeout), s.startHAProxy(ctx, true))
			},
		},
		{Holdfast, "Holdfast in front of the pair; every setting as it comes.", upHoldfast},
	}
}

// scene is a pair and what is in front of it, all in one directory that goes with it.
type scene struct {
	contender contender
	binary    string
	dir       string
	pair      *bench.Pair
	sentinels *bench.Sentinels
	haproxy   *bench.HAProxy
	daemon    *bench.Daemon
}

// newScene returns when the pair is in sync and what is in front of it knows the master.
func newScene(ctx context.Context, c contender, binary string) (*scene, error) {
	s := &scene{contender: c, binary: binary}
	var err error
	if s.dir, err = os.MkdirTemp("", "holdfast-compare-"); err != nil {
		return nil, fmt.Errorf("make directory: %w", err)
	}
	if s.pair, err = bench.StartPair(ctx, s.dir, bench.PairOptions{}); err == nil {
		err = c.up(ctx, s)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("set up %s: %w", c.name, err), s.close())
	}
	return s, nil
}

func upDirect(context.Context, *scene) error { return nil }

func (s *scene) startSentinels(ctx context.Context, downAfter, failoverTimeout time.Duration) (err error) {
	s.sentinels, err = bench.StartSentinels(ctx, s.dir, s.pair, downAfter, failoverTimeout)
	return err
}

func (s *scene) startHAProxy(ctx context.Context, tuned bool) (err error) {
	if s.haproxy, err = bench.NewHAProxy(s.dir, s.refs(), tuned); err != nil {
		return err
	}
	return s.haproxy.Start(ctx)
}

func upHoldfast(ctx context.Context, s *scene) (err error) {
	if s.daemon, err = bench.NewDaemon(s.dir, bench.DaemonOptions{Binary: s.binary, Pool: "compare", Backends: s.refs()}); err != nil {
		return err
	}
	if err := s.daemon.Start(); err != nil {
		return err
	}
	return s.daemon.WaitServing(ctx)
}

func (s *scene) refs() (refs []bench.BackendRef) {
	for _, server := range s.pair.Servers {
		refs = append(refs, bench.BackendRef{Name: server.Name, Address: server.Address()})
	}
	return refs
}

// address is where clients connect that are told an address.
func (s *scene) address() string {
	switch {
	case s.daemon != nil:
		return s.daemon.Address()
	case s.haproxy != nil:
		return s.haproxy.Address()
	default:
		return s.pair.Master.Address()
	}
}

// master is the server that the contender calls the master.
func (s *scene) master(ctx context.Context) (*bench.Server, error) {
	address := s.pair.Master.Address()
	switch {
	case s.daemon != nil:
		status, err := s.daemon.Status(ctx)
		if err != nil {
			return nil, err
		}
		for _, server := range s.pair.Servers {
			if server.Name == status.Master {
				return server, nil
			}
		}
		return nil, fmt.Errorf("find the master: holdfast names %q", status.Master)
	case s.sentinels != nil:
		var err error
		if address, err = s.sentinels.Master(ctx); err != nil {
			return nil, err
		}
	}
	return s.pair.ByAddress(address)
}

// switchover moves the mastership as the contender does it. Without a proxy or Sentinels nobody can, and no fault asks for it.
func (s *scene) switchover(ctx context.Context) error {
	if s.daemon != nil {
		_, err := s.daemon.Switchover(ctx)
		return err
	}
	return s.sentinels.Failover(ctx)
}

// atRisk sums what the receipts declare that may be lost: writes, and bytes of the replication stream.
func (s *scene) atRisk(ctx context.Context) (writes int, bytes int64, err error) {
	if s.daemon == nil {
		return 0, 0, nil
	}
	receipts, err := s.daemon.Failovers(ctx)
	for _, r := range receipts {
		writes, bytes = writes+r.AtRisk, bytes+r.BytesLost
	}
	return writes, bytes, err
}

// configs are the files a user would have to write, by name.
func (s *scene) configs() map[string]string {
	found := map[string]string{}
	if s.haproxy != nil {
		found["haproxy.cfg"] = s.haproxy.Config()
	}
	if s.sentinels != nil {
		found["sentinel.conf"] = s.sentinels.Config()
	}
	return found
}

// close ends everything.
func (s *scene) close() error {
	var errs []error
	if s.daemon != nil {
		errs = append(errs, s.daemon.Close())
	}
	if s.haproxy != nil {
		errs = append(errs, s.haproxy.Close())
	}
	if s.sentinels != nil {
		errs = append(errs, s.sentinels.Close())
	}
	if s.pair != nil {
		errs = append(errs, s.pair.Close())
	}
	return errors.Join(append(errs, os.RemoveAll(s.dir))...)
}
