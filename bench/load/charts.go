package load

import (
	"fmt"
	"io"

	"holdfast/bench/chart"
)

// WritePage writes a result as one HTML page with charts.
func (r Result) WritePage(w io.Writer) error {
	table := chart.Table{Head: []string{"", "count", "p50", "p90", "p99", "p99.9", "p99.99", "max"}, Rows: r.rows()}
	return chart.Write(w, chart.Page{
		Title: "holdfast bench load: " + r.Address,
		Intro: []string{
			r.Mode + ".",
			fmt.Sprintf("Mix %s; %d connections, %d idle, churn %d/s; %.0f s after %.0f s of warm-up; started %s, seed %d.", r.Settings.Mix,
				r.Settings.Connections, r.Settings.Idle, r.Settings.Churn, r.Settings.Seconds, r.Settings.WarmUp,
				r.Started.Format("2006-01-02 15:04:05 MST"), r.Settings.Seed),
		},
		Sections: []chart.Section{
			{Title: "Latency", Text: r.sentences(), Tables: []chart.Table{table}, Charts: []chart.Chart{r.curve(), r.overTime()}},
			{Title: "Throughput and errors", Charts: []chart.Chart{r.throughput(), r.errorsOverTime()}},
		},
	})
}

// curve is latency by how many requests are slower: equal steps to the right are each ten times rarer.
func (r Result) curve() chart.Chart {
	c := chart.Chart{Title: "Latency by percentile (1,000 = p99.9)", XLabel: "one request in", YLabel: "ms", LogX: true, LogY: true}
	line := chart.Series{Name: "all requests"}
	for _, q := range r.Latency.Quantiles {
		if q.Part < 1 {
			c.X = append(c.X, chart.Value(1/(1-q.Part)))
			line.Values = append(line.Values, chart.Value(q.Millis))
		}
	}
	c.Lines = []chart.Series{line}
	return c
}

// places are the ends of the intervals.
func (r Result) places() []chart.Value {
	var x []chart.Value
	for _, p := range r.Series {
		x = append(x, chart.Value(p.Until))
	}
	return x
}

func (r Result) line(name string, of func(Point) float64) chart.Series {
	s := chart.Series{Name: name}
	for _, p := range r.Series {
		s.Values = append(s.Values, chart.Value(of(p)))
	}
	return s
}

func (r Result) overTime() chart.Chart {
	return chart.Chart{Title: "Latency over time", XLabel: "s", YLabel: "ms", LogY: true, X: r.places(), Lines: []chart.Series{
		r.line("p50", func(p Point) float64 { return p.P50 }),
		r.line("p99", func(p Point) float64 { return p.P99 }),
		r.line("max", func(p Point) float64 { return p.Max }),
		r.line("longest waiting", func(p Point) float64 { return p.Waiting }),
	}}
}

func (r Result) throughput() chart.Chart {
	return chart.Chart{Title: "Answered requests over time", XLabel: "s", YLabel: "/s", X: r.places(), Lines: []chart.Series{
		r.line("answered", func(p Point) float64 { return p.Rate }),
	}}
}

func (r Result) errorsOverTime() chart.Chart {
	return chart.Chart{Title: "Errors over time", XLabel: "s", YLabel: "requests", X: r.places(), Lines: []chart.Series{
		r.line("errors", func(p Point) float64 { return float64(p.Errors) }),
	}}
}
