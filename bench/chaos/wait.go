package chaos

import (
	"context"
	"errors"
	"fmt"
	"time"
)

const (
	// pollEvery is how often a condition is looked at.
	pollEvery = 5 * time.Millisecond
	// queryMax bounds one question of the rig to a server that is expected to answer at once.
	queryMax = 5 * time.Second
)

// errReply is returned when a server answered a question of the rig with an error.
var errReply = errors.New("error reply")

// pause lasts d, or less when ctx ends. It gives a fault its length and is never a substitute for a condition.
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

// await asks ready until it has no objection; the last objection is the error when limit or ctx ends first.
func await(ctx context.Context, limit time.Duration, ready func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	var objection error
	for {
		err := ready(ctx)
		if err == nil {
			return nil
		}
		if objection == nil || ctx.Err() == nil {
			objection = err
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return fmt.Errorf("not within %s: %w", limit, objection)
		}
	}
}
