package compare

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"holdfast/bench/load"
)

const (
	// steadyBlocks is how many blocks each contender has. They take turns, so that a machine that slows down slows all.
	steadyBlocks = 3
	steadyConns  = 50
	// steadyWarmUp is load before each block.
	steadyWarmUp = 500 * time.Millisecond
)

// Block is one piece of undisturbed load.
type Block struct {
	Contender string           `json:"contender"`
	Round     int              `json:"round"`
	Rate      float64          `json:"rate"` // open loop: requests a second that were due
	Errors    map[string]int64 `json:"errors"`
	Latency   load.Latency     `json:"latency"`
	Closed    float64          `json:"closed_loop_per_second"` // what 50 connections reach that wait for each answer
}

// blocks is how many blocks each contender has; one is enough to see that it works.
func (o Options) blocks() int {
	if o.Quick {
		return 1
	}
	return steadyBlocks
}

// onPath tells who is a path of his own: HAProxy forwards the same whatever its times are, and a client that asks Sentinels
// talks to the server directly.
func onPath(c contender) bool { return c.name != SentinelClient && c.name != HAProxyDefault }

// steady loads all scenes in turn while all are up.
func (r *run) steady(ctx context.Context) (err error) {
	var scenes []*scene
	defer func() {
		for _, s := range scenes {
			err = errors.Join(err, s.close())
		}
	}()
	for _, c := range r.contenders {
		if !onPath(c) {
			continue
		}
		s, err := newScene(ctx, c, r.options.Holdfast)
		if err != nil {
			return err
		}
		scenes = append(scenes, s)
	}
	for round := range r.options.blocks() {
		for i := range scenes {
			s := scenes[(i+round)%len(scenes)]
			b, err := r.block(ctx, s, round)
			if err != nil {
				return fmt.Errorf("steady load, %s: %w", s.contender.name, err)
			}
			r.record.Steady = append(r.record.Steady, b)
			r.say("steady, %s: p50 %.2f ms, p99 %.2f ms; closed loop %.0f/s", b.Contender, b.Latency.P50, b.Latency.P99, b.Closed)
		}
	}
	return nil
}

func (r *run) block(ctx context.Context, s *scene, round int) (Block, error) {
	o := load.Options{
		Address: s.address(), Rate: r.options.Rate, Connections: steadyConns, Duration: r.options.Steady, WarmUp: steadyWarmUp,
		Mix: load.Mix{load.Get: 80, load.Set: 20}, Seed: r.options.Seed,
	}
	open, err := load.Run(ctx, o)
	if err != nil {
		return Block{}, err
	}
	o.Rate, o.Closed, o.Duration = 0, true, r.options.Steady/2
	closed, err := load.Run(ctx, o)
	if err != nil {
		return Block{}, err
	}
	return Block{
		Contender: s.contender.name, Round: round, Rate: r.options.Rate, Errors: open.Errors, Latency: open.Latency, Closed: closed.Rate,
	}, nil
}

// middle is the median of one number of a contender's blocks.
func (r *Record) middle(contender string, of func(Block) float64) (float64, bool) {
	var numbers []float64
	for _, b := range r.Steady {
		if b.Contender == contender {
			numbers = append(numbers, of(b))
		}
	}
	return median(numbers)
}

func median(numbers []float64) (float64, bool) {
	if len(numbers) == 0 {
		return 0, false
	}
	slices.Sort(numbers)
	return numbers[len(numbers)/2], true
}
