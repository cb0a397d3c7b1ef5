package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// ErrOptions is returned when a load cannot be made as it is asked for. Every fault is in it.
var ErrOptions = errors.New("faulty load")

// Bounds of a load: beyond them a typing error is likelier than a wish.
const (
	rateMax        = 10_000_000 // requests a second
	connectionsMax = 1_000_000
	durationMax    = 7 * 24 * time.Hour
	keysMax        = 100_000_000
	valueBytesMax  = 512 << 20 // the largest value of a Redis server
	depthMax       = 10_000
	churnMax       = 100_000 // connections a second
	threadsMax     = 256
	databaseMax    = 1 << 20
)

// Options say what is sent where, and how fast. Defaults fills in what is zero.
type Options struct {
	Address     string // HOST:PORT or unix:PATH
	Username    string
	Password    string
	Database    int
	Rate        float64 // requests a second over all connections
	Closed      bool    // the next request of a connection leaves when the last is answered; Rate is not used
	Connections int
	Duration    time.Duration
	WarmUp      time.Duration // load that is not counted, before Duration
	Timeout     time.Duration // a request without an answer for this long is given up together with its connection
	Mix         Mix
	Keys        int // small values
	ValueBytes  int
	BigBytes    int
	Depth       int // commands of a pipeline
	Churn       int // connections closed and made again each second
	Idle        int // connections that say nothing while the load runs
	Threads     int
	Keep        bool   // leave the keys there; they expire
	Seed        uint64 // of the order of kinds and keys

	Progress func(Point) // is told of each second; may be nil
}

// Defaults of a load: an ordinary application server.
const (
	rateDefault        = 10_000
	connectionsDefault = 50
	durationDefault    = 10 * time.Second
	timeoutDefault     = 10 * time.Second
	keysDefault        = 10_000
	valueBytesDefault  = 100
	bigBytesDefault    = 256 << 10
	depthDefault       = 16
)

// Defaults returns the options with what is zero filled in.
func (o Options) Defaults() Options {
	fill(&o.Connections, connectionsDefault)
	fill(&o.Duration, durationDefault)
	fill(&o.Timeout, timeoutDefault)
	fill(&o.Keys, keysDefault)
	fill(&o.ValueBytes, valueBytesDefault)
	fill(&o.BigBytes, bigBytesDefault)
	fill(&o.Depth, depthDefault)
	fill(&o.Threads, 1)
	fill(&o.Seed, uint64(time.Now().UnixNano()))
	if !o.Closed {
		fill(&o.Rate, rateDefault)
	}
	if o.Mix.sum() == 0 {
		o.Mix = MixDefault()
	}
	o.Threads = min(o.Threads, o.Connections)
	return o
}

func fill[T comparable](v *T, standard T) {
	var zero T
	if *v == zero {
		*v = standard
	}
}

// Validate tells every fault of the options at once.
func (o Options) Validate() error {
	var errs []error
	wants := func(ok bool, name string, got any, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf("%w: %s %v: want "+format, append([]any{ErrOptions, name, got}, args...)...))
		}
	}
	wants(o.Closed || o.Rate > 0 && o.Rate <= rateMax, "rate", o.Rate, "above 0 to %d a second", rateMax)
	wants(!o.Closed || o.Rate == 0, "rate", o.Rate, "none: a closed loop goes as fast as it is answered")
	wants(o.Connections >= 1 && o.Connections <= connectionsMax, "connections", o.Connections, "1 to %d", connectionsMax)
	wants(o.Duration > 0 && o.Duration <= durationMax, "duration", o.Duration, "above 0 to %s", durationMax)
	wants(o.WarmUp >= 0 && o.WarmUp <= durationMax, "warm-up", o.WarmUp, "0 to %s", durationMax)
	wants(o.Timeout >= time.Millisecond && o.Timeout <= slowest, "timeout", o.Timeout, "1ms to %s", slowest)
	wants(o.Keys >= 1 && o.Keys <= keysMax, "keys", o.Keys, "1 to %d", keysMax)
	wants(o.ValueBytes >= stampBytes && o.ValueBytes <= valueBytesMax, "value bytes", o.ValueBytes, "%d to %d", stampBytes, valueBytesMax)
	wants(o.BigBytes >= stampBytes && o.BigBytes <= valueBytesMax, "big bytes", o.BigBytes, "%d to %d", stampBytes, valueBytesMax)
	wants(o.Depth >= 1 && o.Depth <= depthMax, "pipeline depth", o.Depth, "1 to %d", depthMax)
	wants(o.Churn >= 0 && o.Churn <= churnMax, "churn", o.Churn, "0 to %d a second", churnMax)
	wants(o.Idle >= 0 && o.Idle <= connectionsMax, "idle", o.Idle, "0 to %d", connectionsMax)
	wants(o.Threads >= 1 && o.Threads <= threadsMax, "threads", o.Threads, "1 to %d", threadsMax)
	wants(o.Database >= 0 && o.Database <= databaseMax, "database", o.Database, "0 to %d", databaseMax)
	wants(o.Username == "" || o.Password != "", "user", o.Username, "a password with it")
	if _, err := resolve(context.Background(), o.Address); err != nil {
		errs = append(errs, fmt.Errorf("%w: %w", ErrOptions, err))
	}
	return errors.Join(errs...)
}

// mode is the name of the loop, as every output spells it.
func (o Options) mode() string {
	if o.Closed {
		return "closed loop: each request waits for the answer before it, so a pause hides the requests it delayed"
	}
	return "open loop: latency counts from the scheduled moment"
}

// ShowProgress returns a Progress that writes a line for each second. A closed loop is named in each, too.
func (o Options) ShowProgress(w io.Writer) func(Point) {
	loop := ""
	if o.Closed {
		loop = "closed loop"
	}
	return func(p Point) {
		fmt.Fprintf(w, "%6.0f s  %s%9.0f /s  p50 %s  p99 %s  max %s  errors %d  longest waiting %s\n",
			p.Until, loop, p.Rate, millis(p.P50), millis(p.P99), millis(p.Max), p.Errors, millis(p.Waiting))
	}
}
