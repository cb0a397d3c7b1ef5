package compare

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"
)

const (
	// warmUp is undisturbed load before the fault: every client has connected and written by then.
	warmUp = 1500 * time.Millisecond
	// lastAnswers is what requests under way get when a scene is over: more than the library's time-out of 5 s.
	lastAnswers = 6 * time.Second
	lookEvery   = 10 * time.Millisecond
	// lastLines are what is shown of a daemon that did not serve again.
	lastLines = 25
)

// errUnserved is returned when not every client was served again in time.
var errUnserved = errors.New("clients are not served again")

// Outcome is what one fault did to the clients of one contender, once.
type Outcome struct {
	Fault     string        `json:"fault"`
	Contender string        `json:"contender"`
	Round     int           `json:"round"`
	Groups    []GroupResult `json:"groups"`

	Gap        float64 `json:"gap_ms"`         // the longest time in which no client had a success
	Stall      float64 `json:"stall_ms"`       // the longest time one request took from its scheduled moment to its end
	FirstOK    float64 `json:"first_ok_ms"`    // from the fault to the first success of a request that was due after it
	LastClient float64 `json:"last_client_ms"` // from the fault until the last client had one
	Served     bool    `json:"served_again"`

	Verified      bool   `json:"verified"`        // the final master was read
	ReportedRisk  int    `json:"reported_writes"` // acknowledged writes that the contender itself declares at risk
	ReportedBytes int64  `json:"reported_bytes"`  // of the replication stream that it declares lost
	Why           string `json:"why,omitempty"`   // of what could not be done
	Tape          Tape   `json:"tape"`
}

// GroupResult is one half of the clients.
type GroupResult struct {
	Retry       bool           `json:"retry"`
	Clients     int            `json:"clients"`
	Requests    int            `json:"requests"` // that ended after the fault
	Errors      map[string]int `json:"errors"`   // by class, as the application sees them
	ErrorsTotal int            `json:"errors_total"`
	Hung        int            `json:"hung"`
	Disconnects int64          `json:"disconnects"` // ended by the other side
	Dials       int64          `json:"new_connections"`
	Unknown     int            `json:"unknown_writes"`
	Lost        int            `json:"lost_writes"`
	Duplicates  int            `json:"duplicate_writes"`
	Phantoms    int            `json:"phantom_writes"` // refused, and there all the same
	Checked     int            `json:"checked_writes"`
}

// drill commits one fault on a scene of its own.
func (r *run) drill(ctx context.Context, f fault, c contender, round int) (o Outcome, err error) {
	o = Outcome{Fault: f.name, Contender: c.name, Round: round}
	s, err := newScene(ctx, c, r.options.Holdfast)
	if err != nil {
		return o, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	r.keepConfigs(s)
	tape := newRecorder()
	groups := []*group{
		newGroup(s, tape, r.options.Clients/2, r.options.Every, false, r.options.Seed),
		newGroup(s, tape, r.options.Clients/2, r.options.Every, true, r.options.Seed),
	}
	stop := startClients(groups)
	defer stop() // again is nothing
	if err := pause(ctx, warmUp); err != nil {
		return o, err
	}
	before := dialed(groups)
	for _, g := range groups {
		g.begin()
	}
	tape.mark()
	if err := r.disturb(ctx, f, s, groups, &o); err != nil {
		return o, err
	}
	stop()
	o.measure(tape, groups, before)
	if err := verify(ctx, s, groups, &o); err != nil {
		o.Why = err.Error()
	} else {
		o.Verified = true
	}
	if !o.Served && s.daemon != nil {
		o.Why += "\n" + s.daemon.Tail(lastLines)
	}
	return o, nil
}

// disturb commits the fault and returns when its effects are over, or have had their time.
func (r *run) disturb(ctx context.Context, f fault, s *scene, groups []*group, o *Outcome) error {
	if err := f.commit(ctx, s); err != nil {
		return fmt.Errorf("%s of %s: %w", f.name, s.contender.name, err)
	}
	if f.repair != nil {
		if err := f.repair(ctx, s); err != nil {
			return fmt.Errorf("%s of %s: %w", f.name, s.contender.name, err)
		}
	}
	err := awaitServed(ctx, groups, s.contender.healMax())
	if err != nil && !errors.Is(err, errUnserved) {
		return err
	}
	o.Served = err == nil
	if !o.Served {
		return nil
	}
	return pause(ctx, r.options.settle(f))
}

// startClients lets all clients work; the returned function ends them, after their last answers.
func startClients(groups []*group) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	enough := make(chan struct{})
	var done sync.WaitGroup
	for _, g := range groups {
		for _, c := range g.clients {
			done.Add(1)
			go c.run(ctx, enough, &done) // stop waits for it
		}
	}
	return sync.OnceFunc(func() {
		close(enough)
		last := time.AfterFunc(lastAnswers, cancel)
		done.Wait()
		last.Stop()
		cancel()
		for _, g := range groups {
			for _, c := range g.clients {
				_ = c.redis.Close() // nothing is under way
			}
		}
	})
}

// awaitServed returns when each client has had successes in a row.
func awaitServed(ctx context.Context, groups []*group, limit time.Duration) error {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	for {
		waiting := 0
		for _, g := range groups {
			for _, c := range g.clients {
				if c.row.Load() < servedAgain {
					waiting++
				}
			}
		}
		if waiting == 0 {
			return nil
		}
		select {
		case <-ticker.C:
		case <-deadline.C:
			return fmt.Errorf("%d within %s: %w", waiting, limit, errUnserved)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// counted are the connections that a group has made and lost.
type counted struct{ dials, disconnects int64 }

func dialed(groups []*group) (all []counted) {
	for _, g := range groups {
		all = append(all, counted{g.census.dials.Load(), g.census.disconnects.Load()})
	}
	return all
}

// measure takes the numbers of the tape and of the groups, whose clients have ended.
func (o *Outcome) measure(tape *recorder, groups []*group, before []counted) {
	o.Tape = tape.close()
	o.Gap, o.Stall = millis(tape.gap), millis(tape.stall)
	if tape.firstOK > 0 {
		o.FirstOK = millis(tape.firstOK - tape.marked)
	}
	for i, g := range groups {
		result := GroupResult{
			Retry: g.retry, Clients: len(g.clients), Requests: g.requests, Errors: maps.Clone(g.classes), Hung: g.hung,
			Dials: g.census.dials.Load() - before[i].dials, Disconnects: g.census.disconnects.Load() - before[i].disconnects,
		}
		for _, n := range g.classes {
			result.ErrorsTotal += n
		}
		for _, c := range g.clients {
			if first := time.Duration(c.first.Load()); first > 0 {
				o.LastClient = max(o.LastClient, millis(first-tape.marked))
			}
		}
		o.Groups = append(o.Groups, result)
	}
}
