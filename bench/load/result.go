package load

import (
	"fmt"
	"time"
)

// quantiles are the parts of all requests whose latency a result tells.
var quantiles = []float64{0.5, 0.9, 0.95, 0.99, 0.999, 0.9999, 1}

// Result is what a load has shown.
type Result struct {
	Mode      string    `json:"mode"` // which loop, and what its latencies mean
	Closed    bool      `json:"closed_loop"`
	Address   string    `json:"address"`
	Started   time.Time `json:"started"`
	Settings  Settings  `json:"settings"`
	Seconds   float64   `json:"seconds"` // from the first counted request to the last answer
	Scheduled int64     `json:"scheduled,omitempty"`
	Answered  int64     `json:"answered"`
	Commands  int64     `json:"commands"` // of the answered requests: a pipeline has many
	Rate      float64   `json:"requests_per_second"`

	Errors      map[string]int64 `json:"errors"` // by class; the rest of the scheduled requests
	ErrorsTotal int64            `json:"errors_total"`
	Disconnects int64            `json:"disconnects"`
	Replaced    int64            `json:"connections_replaced"` // by the churn
	IdleLost    int64            `json:"idle_connections_lost"`

	Latency    Latency            `json:"latency"`
	Kinds      map[string]Latency `json:"kinds"`
	Deliveries map[string]Latency `json:"deliveries,omitempty"` // from the scheduled moment to the other connection
	Connects   *Latency           `json:"connects,omitempty"`   // of the churn: until the connection was of use
	Series     []Point            `json:"series"`

	CPUSeconds float64 `json:"generator_cpu_seconds"`
	LateMillis float64 `json:"generator_late_ms"` // the longest time by which the generator itself came too late
	Note       string  `json:"note,omitempty"`
}

// Settings are the options that decide what a result means.
type Settings struct {
	Mix         string  `json:"mix"`
	Rate        float64 `json:"rate,omitempty"`
	Connections int     `json:"connections"`
	Idle        int     `json:"idle"`
	Churn       int     `json:"churn_per_second"`
	Seconds     float64 `json:"seconds"`
	WarmUp      float64 `json:"warm_up_seconds"`
	Timeout     float64 `json:"timeout_seconds"`
	Keys        int     `json:"keys"`
	ValueBytes  int     `json:"value_bytes"`
	BigBytes    int     `json:"big_bytes"`
	Depth       int     `json:"pipeline_depth"`
	Threads     int     `json:"threads"`
	Seed        uint64  `json:"seed"`
}

func (o Options) settings() Settings {
	return Settings{
		Mix: o.Mix.String(), Rate: o.Rate, Connections: o.Connections, Idle: o.Idle, Churn: o.Churn, Seconds: o.Duration.Seconds(),
		WarmUp: o.WarmUp.Seconds(), Timeout: o.Timeout.Seconds(), Keys: o.Keys, ValueBytes: o.ValueBytes, BigBytes: o.BigBytes,
		Depth: o.Depth, Threads: o.Threads, Seed: o.Seed,
	}
}

// Latency is the distribution of one kind of time, in milliseconds.
type Latency struct {
	Count     int64      `json:"count"`
	Mean      float64    `json:"mean_ms"`
	P50       float64    `json:"p50_ms"`
	P90       float64    `json:"p90_ms"`
	P95       float64    `json:"p95_ms"`
	P99       float64    `json:"p99_ms"`
	P999      float64    `json:"p999_ms"`
	P9999     float64    `json:"p9999_ms"`
	Max       float64    `json:"max_ms"`
	Quantiles []Quantile `json:"quantiles,omitempty"` // the whole curve, for a chart
}

// Quantile is one place of the curve: so much of all stayed at or below so many milliseconds.
type Quantile struct {
	Part   float64 `json:"part"`
	Millis float64 `json:"ms"`
}

// Point is one interval of a run. Times are seconds since the first counted request, latencies milliseconds.
type Point struct {
	From    float64 `json:"from"`
	Until   float64 `json:"until"`
	Rate    float64 `json:"rate"` // answered requests a second
	Errors  int64   `json:"errors"`
	P50     float64 `json:"p50_ms"`
	P99     float64 `json:"p99_ms"`
	Max     float64 `json:"max_ms"`
	Waiting float64 `json:"waiting_ms"` // for so long had the oldest unanswered request been due at the end
}

// latency reads a ruler. curve adds the places for a chart.
func (r *ruler) latency(curve bool) Latency {
	values := make([]float64, len(quantiles))
	for i, q := range quantiles {
		values[i] = inMillis(r.quantile(q))
	}
	l := Latency{
		Count: r.hist.TotalCount(), Mean: r.hist.Mean() / float64(time.Millisecond), P50: values[0], P90: values[1], P95: values[2],
		P99: values[3], P999: values[4], P9999: values[5], Max: values[6],
	}
	if !curve || l.Count == 0 {
		return l
	}
	// Half of what is left at each step: as many places for the slowest thousandth as for the thousand others.
	for rest := 1.0; rest*float64(l.Count) >= 0.5; rest *= 0.8 {
		l.Quantiles = append(l.Quantiles, Quantile{Part: 1 - rest, Millis: inMillis(r.quantile(1 - rest))})
	}
	l.Quantiles = append(l.Quantiles, Quantile{Part: 1, Millis: l.Max})
	return l
}

func inMillis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// millis shows milliseconds with as many digits as mean something.
func millis(ms float64) string {
	switch {
	case ms >= 1000:
		return fmt.Sprintf("%.2f s", ms/1000)
	case ms >= 100:
		return fmt.Sprintf("%.0f ms", ms)
	case ms >= 10:
		return fmt.Sprintf("%.1f ms", ms)
	default:
		return fmt.Sprintf("%.2f ms", ms)
	}
}
