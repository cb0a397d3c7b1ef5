package conformance

import (
	"context"
	"errors"
	"fmt"
	"time"

	"holdfast/bench"
)

// Fault is one death of a master and what the receipt says of it.
type Fault struct {
	Killed time.Time      `json:"killed"`
	Served time.Time      `json:"served"` // the gate was seen open again
	Cut    map[string]int `json:"cut"`
	AtRisk int            `json:"at_risk"`
	Bytes  int64          `json:"bytes_lost"`
}

// breaker kills the master again and again: SIGKILL, promotion, restart of the dead one, which becomes the replica, and
// only when that one is in sync the next.
type breaker struct {
	rig   *rig
	first time.Duration // until the first death
	every time.Duration // between two deaths, longer when the replica needs longer
	saw   func(Fault)
}

// run ends with ctx, or with the first thing that the pair did not do in time.
func (b *breaker) run(ctx context.Context) error {
	timer := time.NewTimer(b.first)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-ctx.Done():
			return nil
		}
		timer.Reset(b.every)
		fault, err := b.strike(ctx)
		if err == nil {
			b.saw(fault)
			err = b.repair(ctx)
		}
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// strike kills the master and returns when clients are served by the other one.
func (b *breaker) strike(ctx context.Context) (f Fault, err error) {
	daemon := b.rig.daemon
	before, err := daemon.Status(ctx)
	if err != nil {
		return f, err
	}
	master, err := daemon.MasterOf(ctx, b.rig.pair)
	if err != nil {
		return f, err
	}
	f.Killed = time.Now()
	if err := master.Kill(); err != nil {
		return f, err
	}
	var after bench.PoolStatus
	err = bench.Await(ctx, syncMax, time.Millisecond, func(ctx context.Context) error {
		if after, err = daemon.Status(ctx); err != nil {
			return err
		}
		if after.Epoch <= before.Epoch || after.Gate != "open" || after.Receipt == nil || after.Receipt.Epoch != after.Epoch {
			return fmt.Errorf("pool is %s (%s), gate %s, epoch %d", after.State, after.Why, after.Gate, after.Epoch)
		}
		return nil
	})
	if err != nil {
		return f, fmt.Errorf("wait for the failover: %w\n%s", err, daemon.Tail(20))
	}
	f.Served, f.Cut, f.AtRisk, f.Bytes = time.Now(), after.Receipt.Cut, after.Receipt.AtRisk, after.Receipt.BytesLost
	return f, nil
}

// repair brings the dead server back and returns when it has everything.
func (b *breaker) repair(ctx context.Context) error {
	master, err := b.rig.daemon.MasterOf(ctx, b.rig.pair)
	if err != nil {
		return err
	}
	dead := b.rig.pair.Other(master)
	if err := dead.RestartEmpty(ctx); err != nil {
		return err
	}
	return b.rig.waitSynced(ctx)
}

// runBreaker is the goroutine of a run; whoever started it waits for done.
func runBreaker(ctx context.Context, b *breaker, done chan<- error) {
	err := b.run(ctx)
	if errors.Is(err, context.Canceled) {
		err = nil
	}
	done <- err
}
