package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
)

// scene is what a drill happens in: servers, proxies and clients, all in one directory that goes with it.
type scene struct {
	opts     Options
	dir      string
	pair     *Pair
	daemon   *Daemon   // the one clients connect to
	daemons  []*Daemon // all of them
	load     *Load
	loadEnd  context.CancelFunc
	loadDone chan struct{}
	epoch    uint64        // of the pool before the fault
	interval time.Duration // as in the plan
	hostiles *hostiles     // nil: there are none
	report   Report
}

// newScene returns when all clients are being served by a pair that is in sync.
func newScene(ctx context.Context, o Options, p plan) (*scene, error) {
	s := &scene{opts: o, interval: p.interval}
	err := s.build(ctx, p)
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *scene) build(ctx context.Context, p plan) (err error) {
	if s.dir, err = os.MkdirTemp("", "holdfast-drill-"); err != nil {
		return fmt.Errorf("make drill directory: %w", err)
	}
	if s.pair, err = StartPair(ctx, s.dir, p.pair); err != nil {
		return err
	}
	if p.build != nil {
		err = p.build(ctx, s)
	} else {
		opts := p.daemon
		opts.Backends = s.pair.refs()
		s.daemon, err = s.addDaemon(ctx, opts)
	}
	if err != nil {
		return err
	}
	status, err := s.daemon.Status(ctx)
	if err != nil {
		return err
	}
	s.epoch = status.Epoch
	return s.startLoad(ctx)
}

// addDaemon starts a proxy and returns when it serves.
func (s *scene) addDaemon(ctx context.Context, opts DaemonOptions) (*Daemon, error) {
	opts.Binary = s.opts.Binary
	d, err := NewDaemon(s.dir, opts)
	if err != nil {
		return nil, err
	}
	if err := d.Start(); err != nil {
		return nil, err
	}
	s.daemons = append(s.daemons, d)
	return d, d.WaitServing(ctx)
}

func (s *scene) startLoad(ctx context.Context) error {
	s.load = NewLoad(LoadOptions{Address: s.daemon.Address(), Clients: s.opts.Clients, Think: s.opts.Think, Seed: s.opts.Seed,
		Interval: s.interval, HungAfter: drillHungAfter})
	s.report.Seed = s.load.opts.Seed
	ctx, s.loadEnd = context.WithCancel(ctx)
	s.loadDone = make(chan struct{})
	go s.runLoad(ctx) // stopLoad waits for it
	if err := s.load.WaitServed(ctx, warmUp, servedMax); err != nil {
		return fmt.Errorf("warm up: %w; %v\n%s", err, s.load.Counts(), s.daemon.Tail(20))
	}
	return nil
}

func (s *scene) runLoad(ctx context.Context) {
	defer close(s.loadDone)
	_ = s.load.Run(ctx) // its only error would be the end of ctx
}

// stopLoad ends the clients after their last answers.
func (s *scene) stopLoad() {
	s.loadEnd()
	<-s.loadDone
	s.report.Counts = s.load.Counts()
	s.report.ErrorOpsMax = s.load.tally.errorOpsMax.Load()
}

// master is the server that the daemon calls the master.
func (s *scene) master(ctx context.Context) (*Server, error) {
	status, err := s.daemon.Status(ctx)
	if err != nil {
		return nil, err
	}
	address, err := status.master()
	if err != nil {
		return nil, err
	}
	return s.pair.ByAddress(address)
}

// waitPromotions returns when the pool serves, n promotions after the scene began.
func (s *scene) waitPromotions(ctx context.Context, n int) error {
	return s.waitStatus(ctx, func(status PoolStatus) error {
		if status.Epoch < s.epoch+uint64(n) || status.Gate != gateOpen {
			return fmt.Errorf("pool is %s (%s), gate %s, epoch %d", status.State, status.Why, status.Gate, status.Epoch)
		}
		return nil
	})
}

// waitSynced returns when the daemon calls every replica in sync.
func (s *scene) waitSynced(ctx context.Context) error { return s.waitStatus(ctx, PoolStatus.synced) }

func (s *scene) waitStatus(ctx context.Context, check func(PoolStatus) error) error {
	return await(ctx, servedMax, pollEvery, func(ctx context.Context) error {
		status, err := s.daemon.Status(ctx)
		if err != nil {
			return err
		}
		return check(status)
	})
}

// close ends everything; a load whose clients are held is freed by the end of its servers.
func (s *scene) close() error {
	var errs []error
	if s.loadEnd != nil {
		s.loadEnd()
	}
	if s.hostiles != nil {
		s.hostiles.stop()
	}
	for _, d := range s.daemons {
		errs = append(errs, d.Close())
	}
	if s.pair != nil {
		errs = append(errs, s.pair.Close())
	}
	if s.loadDone != nil {
		<-s.loadDone
	}
	if s.dir != "" {
		errs = append(errs, os.RemoveAll(s.dir))
	}
	return errors.Join(errs...)
}
