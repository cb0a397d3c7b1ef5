package main

import (
	"context"
	"errors"
	"fmt"

	"holdfast/admin"
	"holdfast/health"
)

// operator carries the orders of the admin API to the controllers.
type operator struct{ pools []*servedPool }

func (o operator) Switchover(ctx context.Context, pool, to string) (*admin.Receipt, error) {
	return o.change(pool, func(c *health.Controller) (health.Receipt, error) { return c.Switchover(ctx, to) })
}

func (o operator) Failover(ctx context.Context, pool string, order admin.FailoverOrder) (*admin.Receipt, error) {
	return o.change(pool, func(c *health.Controller) (health.Receipt, error) {
		return c.Failover(ctx, order.To, order.AcceptLoss)
	})
}

func (o operator) Hold(ctx context.Context, pool string) error {
	p, err := o.find(pool)
	if err != nil {
		return err
	}
	return kind(p.controller.Hold(ctx))
}

func (o operator) Release(ctx context.Context, pool string) error {
	p, err := o.find(pool)
	if err != nil {
		return err
	}
	return kind(p.controller.Release(ctx))
}

func (o operator) find(pool string) (*servedPool, error) {
	for _, p := range o.pools {
		if p.name == pool {
			return p, nil
		}
	}
	return nil, fmt.Errorf("pool %q: %w", pool, admin.ErrNotFound)
}

func (o operator) change(pool string, do func(*health.Controller) (health.Receipt, error)) (*admin.Receipt, error) {
	p, err := o.find(pool)
	if err != nil {
		return nil, err
	}
	r, err := do(p.controller)
	if err != nil {
		return nil, kind(err)
	}
	return receipt(&r), nil
}

// kind says which of the API's kinds of failure an error of the controller is.
func kind(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, health.ErrNoBackend):
		return fmt.Errorf("%w: %w", err, admin.ErrNotFound)
	case errors.Is(err, health.ErrBusy), errors.Is(err, health.ErrHeld):
		return fmt.Errorf("%w: %w", err, admin.ErrConflict)
	case errors.Is(err, health.ErrMode), errors.Is(err, health.ErrNotReady), errors.Is(err, health.ErrGivenUp):
		return fmt.Errorf("%w: %w", err, admin.ErrRefused)
	}
	return err
}
