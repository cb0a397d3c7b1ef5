package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"

	"holdfast/admin"
	"holdfast/configs"
	"holdfast/health/authority"
	"holdfast/proxy"
)

// daemon is everything that one process runs. Its parts are started together and end together.
type daemon struct {
	log       *slog.Logger
	authority *authority.Local
	proxy     *proxy.Proxy
	pools     []*servedPool
	admin     *admin.Server
	listener  net.Listener
}

// runDaemon serves until ctx ends or a part fails.
func runDaemon(ctx context.Context, cfg configs.Config, log *slog.Logger) error {
	d := &daemon{log: log}
	if err := d.open(ctx, cfg); err != nil {
		return errors.Join(err, d.close())
	}
	log.Info("holdfast serves", "version", buildVersion(), "admin", cfg.Admin.Listen, "pools", len(d.pools))
	err := d.run(ctx)
	return errors.Join(err, d.close())
}

// open makes every part; what fails here is the operator's to mend, so it says what to do.
func (d *daemon) open(ctx context.Context, cfg configs.Config) (err error) {
	if d.authority, err = authority.Open(cfg.StateDir, d.log); err != nil {
		return err
	}
	d.proxy, err = proxy.New(proxyOptions(cfg.Proxy, d.log))
	if err != nil {
		return err
	}
	for i := range cfg.Pools {
		p, err := d.openPool(&cfg.Pools[i], cfg.Proxy)
		if err != nil {
			return err
		}
		d.pools = append(d.pools, p)
	}
	return d.openAdmin(ctx, cfg.Admin)
}

func (d *daemon) openAdmin(ctx context.Context, cfg configs.Admin) error {
	token, err := cfg.Token()
	if err != nil {
		return err
	}
	d.admin = admin.New(admin.Options{
		Source: statusSource{d.proxy, d.pools}, Operator: operator{d.pools}, Ready: d.ready,
		Token: token, Logger: d.log, Version: buildVersion(),
	})
	if d.listener, err = admin.Listen(ctx, cfg.Listen); err != nil {
		return fmt.Errorf("%w; choose another [admin] listen, or stop who uses it", err)
	}
	return nil
}

// ready: every pool can serve its clients or hold them, which is so from the moment its listeners are bound.
func (d *daemon) ready() error {
	for _, p := range d.pools {
		if snapshot := p.controller.Snapshot(); snapshot.State == "starting" {
			return fmt.Errorf("pool %s looks at its backends for the first time", p.name)
		}
	}
	return nil
}

// run awaits every part. The first to end ends the others.
func (d *daemon) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var parts sync.WaitGroup
	var mu sync.Mutex // guards failed
	var failed error
	start := func(what string, run func(context.Context) error) {
		parts.Go(func() {
			defer cancel()
			if err := run(ctx); err != nil && ctx.Err() == nil {
				mu.Lock()
				failed = errors.Join(failed, fmt.Errorf("%s ended: %w", what, err))
				mu.Unlock()
			}
		})
	}
	start("data plane", d.proxy.Run)
	for _, p := range d.pools {
		start("health of pool "+p.name, p.controller.Run)
		if p.tutor != nil {
			start("tutor of pool "+p.name, p.tutor.Run)
		}
	}
	start("memory", newMemory().keepLow)
	start("admin", func(ctx context.Context) error { return d.admin.Serve(ctx, d.listener) })
	parts.Wait()
	return failed
}

// close gives back what open took, last first.
func (d *daemon) close() error {
	var errs []error
	if d.listener != nil {
		if err := d.listener.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	if d.proxy != nil {
		errs = append(errs, d.proxy.Close())
	}
	if d.authority != nil {
		errs = append(errs, d.authority.Close())
	}
	return errors.Join(errs...)
}
