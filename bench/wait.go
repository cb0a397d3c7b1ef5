package bench

import (
	"context"
	"fmt"
	"time"
)

// pause lasts d, or less when ctx ends. It gives a fault its length; it is never a substitute for a condition.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Await is await for the packages beside this one.
func Await(ctx context.Context, limit, every time.Duration, ready func(context.Context) error) error {
	return await(ctx, limit, every, ready)
}

// await asks ready again and again, every so often, until it has no objection. When limit or ctx ends first, the last
// objection is the error, because it says what was still missing.
func await(ctx context.Context, limit, every time.Duration, ready func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	var objection error
	for {
		err := ready(ctx)
		if err == nil {
			return nil
		}
		if objection == nil || ctx.Err() == nil {
			objection = err // an answer cut short by the limit says less than the one before
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return fmt.Errorf("not within %s: %w", limit, objection)
		}
	}
}
