package health

import (
	"context"
	"fmt"
	"sync"
)

// reply is the answer to one order.
type reply struct {
	receipt Receipt
	err     error
}

// waiting holds the operators that wait for an answer.
type waiting struct {
	mu      sync.Mutex // guards what follows
	last    uint64
	replies map[uint64]chan reply
}

func (w *waiting) add() (uint64, chan reply) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last++
	ch := make(chan reply, 1)
	w.replies[w.last] = ch
	return w.last, ch
}

func (w *waiting) remove(id uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.replies, id)
}

func (w *waiting) answer(id uint64, r reply) {
	w.mu.Lock()
	ch := w.replies[id]
	delete(w.replies, id)
	w.mu.Unlock()
	if ch != nil {
		ch <- r // has room for one, and only one is ever sent
	}
}

// Switchover makes the backend named to (empty: the best replica) the master, with the help of the present one. It returns when
// clients go on there, or with nothing changed.
func (c *Controller) Switchover(ctx context.Context, to string) (Receipt, error) {
	return c.change(ctx, Order{Kind: OrderSwitchover}, to)
}

// Failover makes the backend named to (empty: the best replica) the master whether the present one helps or not. acceptLoss takes a
// backend whose lineage or offset proves nothing; it must be named. It returns when clients go on there.
func (c *Controller) Failover(ctx context.Context, to string, acceptLoss bool) (Receipt, error) {
	return c.change(ctx, Order{Kind: OrderFailover, AcceptLoss: acceptLoss}, to)
}

// Hold shuts the gate until Release; it returns when the data plane was told. A failover may happen meanwhile.
func (c *Controller) Hold(ctx context.Context) error {
	_, err := c.order(ctx, Order{Kind: OrderHold})
	return err
}

// Release ends Hold; it returns when the data plane was told.
func (c *Controller) Release(ctx context.Context) error {
	_, err := c.order(ctx, Order{Kind: OrderRelease})
	return err
}

func (c *Controller) change(ctx context.Context, o Order, to string) (Receipt, error) {
	o.To = noNode
	if to != "" {
		i, found := c.backend(to)
		if !found {
			return Receipt{}, fmt.Errorf("change the master of %s to %s: %w", c.settings.Name, to, ErrNoBackend)
		}
		o.To = i
	}
	return c.order(ctx, o)
}

// backend finds a backend by its name or its address.
func (c *Controller) backend(name string) (int, bool) {
	for i, b := range c.settings.Backends {
		if b.Name == name || b.Address == name {
			return i, true
		}
	}
	return noNode, false
}

// order sends an order to Run and waits for the answer.
func (c *Controller) order(ctx context.Context, o Order) (Receipt, error) {
	id, answer := c.waiting.add()
	defer c.waiting.remove(id)
	o.ID = id
	if err := c.send(ctx, o); err != nil {
		return Receipt{}, err
	}
	select {
	case r := <-answer:
		return r.receipt, r.err
	case <-c.stopped:
		return Receipt{}, ErrStopped
	case <-ctx.Done():
		c.withdraw(id)
		return Receipt{}, fmt.Errorf("wait for the order: %w", context.Cause(ctx))
	}
}

func (c *Controller) send(ctx context.Context, o Order) error {
	select {
	case c.observed <- Observation{At: c.clock(), Order: &o}:
		return nil
	case <-c.stopped:
		return ErrStopped
	case <-ctx.Done():
		return fmt.Errorf("send the order: %w", context.Cause(ctx))
	}
}

// withdraw cancels an order that has not begun.
func (c *Controller) withdraw(id uint64) {
	select {
	case c.observed <- Observation{At: c.clock(), Order: &Order{ID: id, Kind: OrderCancel}}:
	case <-c.stopped:
	}
}
