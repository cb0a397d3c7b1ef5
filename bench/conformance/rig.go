package conformance

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"holdfast/bench"
)

const (
	// syncMax is how long a pair may take until its replica is proven to stream, a full copy included. A suite may keep its
	// server busy for half a minute meanwhile.
	syncMax = time.Minute
	// lookEvery is how often a condition is looked at: often enough for a rhythm of seconds, and cheap.
	lookEvery = 5 * time.Millisecond
)

// rigOptions say what a suite talks to.
type rigOptions struct {
	Mode     Mode
	Binary   string   // the built holdfast
	Port     int      // where the suite expects its server; 0: anywhere
	Args     []string // for each server
	User     string   // of Holdfast and of the replicas, with Password
	Password string
	// Early opens the listener before there is a pair in sync, for suites that wait only a moment for their server.
	Early bool
}

// rig is a server with nothing, Holdfast, or Holdfast and a replica around it.
type rig struct {
	opts    rigOptions
	dir     string
	pair    *bench.Pair
	daemon  *bench.Daemon // nil in Direct
	address string
}

// newRig starts everything below dir and returns when clients are served.
func newRig(ctx context.Context, dir string, o rigOptions) (*rig, error) {
	r := &rig{opts: o, dir: dir, pair: &bench.Pair{}}
	err := r.prepare()
	if err == nil {
		err = r.start(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, r.close())
	}
	return r, nil
}

// prepare makes the servers and the daemon without starting any.
func (r *rig) prepare() (err error) {
	if err := os.MkdirAll(r.dir, 0o700); err != nil {
		return fmt.Errorf("make directory of the rig: %w", err)
	}
	port, servers := 0, 1
	switch r.opts.Mode {
	case Direct:
		port = r.opts.Port
	case Failover:
		servers = 2
	}
	for i := range servers {
		s, err := bench.NewServer(r.dir, bench.ServerOptions{Name: fmt.Sprintf("redis%d", i+1), ReplicaOf: r.pair.Master, Port: port,
			Args: r.serverArgs()})
		if err != nil {
			return err
		}
		if r.pair.Servers = append(r.pair.Servers, s); i == 0 {
			r.pair.Master = s
		} else {
			r.pair.Replica = s
		}
	}
	r.address = r.pair.Master.Address()
	if r.opts.Mode == Direct {
		return nil
	}
	o := bench.DaemonOptions{Binary: r.opts.Binary, Pool: "suite", Username: r.opts.User, Password: r.opts.Password}
	if r.opts.Mode != Guarded {
		o.Deny = []string{}
	}
	for _, s := range r.pair.Servers {
		o.Backends = append(o.Backends, bench.BackendRef{Name: s.Name, Address: s.Address()})
	}
	if r.opts.Port != 0 {
		o.Listen = fmt.Sprintf("127.0.0.1:%d", r.opts.Port)
	}
	r.daemon, err = bench.NewDaemon(r.dir, o)
	if err == nil {
		r.address = r.daemon.Address()
	}
	return err
}

// serverArgs allow what the suites try, in all modes alike, and let a node copy from the other.
func (r *rig) serverArgs() []string {
	args := append([]string{"--enable-protected-configs", "yes", "--enable-debug-command", "yes", "--enable-module-command", "yes"},
		r.opts.Args...)
	if r.opts.User != "" {
		args = append(args, "--masteruser", r.opts.User)
	}
	if r.opts.Password != "" {
		args = append(args, "--masterauth", r.opts.Password)
	}
	return args
}

func (r *rig) start(ctx context.Context) error {
	if r.daemon == nil {
		return r.pair.Master.Start(ctx)
	}
	if r.opts.Early && r.opts.Mode == Failover {
		return r.startEarly(ctx)
	}
	if err := r.startServers(ctx); err != nil {
		return err
	}
	if err := r.daemon.Start(); err != nil {
		return err
	}
	return r.daemon.WaitServing(ctx)
}

func (r *rig) startServers(ctx context.Context) error {
	for _, s := range r.pair.Servers {
		if err := s.Start(ctx); err != nil {
			return err
		}
	}
	return nil
}

// startEarly starts the daemon first: it accepts clients, who wait for the pair to be in sync. One server needs no such care:
// it is there before a suite loses patience, and a daemon that finds it takes it at once.
func (r *rig) startEarly(ctx context.Context) error {
	if err := r.startHeld(ctx); err != nil {
		return err
	}
	if err := r.startServers(ctx); err != nil {
		return err
	}
	if err := r.waitSynced(ctx); err != nil {
		return err
	}
	return r.daemon.Release(ctx)
}

// startHeld starts the daemon alone, and shuts its gate before there is anything that could open it.
func (r *rig) startHeld(ctx context.Context) error {
	if err := r.daemon.Start(); err != nil {
		return err
	}
	if err := bench.Await(ctx, syncMax, lookEvery, r.daemon.Hold); err != nil {
		return fmt.Errorf("hold clients: %w\n%s", err, r.daemon.Tail(10))
	}
	return nil
}

// waitSynced returns when the pool has a master and each replica is proven to stream.
func (r *rig) waitSynced(ctx context.Context) error {
	err := bench.Await(ctx, syncMax, lookEvery, func(ctx context.Context) error {
		status, err := r.daemon.Status(ctx)
		if err != nil {
			return err
		}
		return status.Synced()
	})
	if err != nil {
		return fmt.Errorf("wait for the pair to be in sync: %w\n%s", err, r.daemon.Tail(20))
	}
	return nil
}

// closed is what the daemon says of ended connections, by reason.
func (r *rig) closed(ctx context.Context) (map[string]int, error) {
	if r.daemon == nil {
		return nil, nil
	}
	status, err := r.daemon.Status(ctx)
	return status.Closed, err
}

// close ends the processes and removes their directory.
func (r *rig) close() error {
	var errs []error
	if r.daemon != nil {
		errs = append(errs, r.daemon.Close())
	}
	for _, s := range r.pair.Servers {
		errs = append(errs, s.Close())
	}
	return errors.Join(append(errs, os.RemoveAll(r.dir))...)
}
