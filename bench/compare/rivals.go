package compare

import (
	"fmt"
	"slices"
)

const (
	// betterPart and betterMillis keep noise from being called an advantage: a time has to be shorter by a tenth and by 5 ms.
	betterPart, betterMillis = 0.9, 5.0
	// betterRate is the same for a rate and for the microseconds of a steady load.
	betterRate = 1.03
)

// lastClient is the measure that means nothing for a fault that begins later than it is committed.
const lastClient = "time until the last client was served"

// measure is one number by which two rows are held against each other. Less is better.
type measure struct {
	name string
	of   func(row) (float64, bool)
	time bool // in milliseconds
}

func measures() []measure {
	count := func(name string, of func(row) int) measure {
		return measure{name: name, of: func(s row) (float64, bool) { return float64(of(s)) / float64(s.runs), true }}
	}
	checked := func(name string, of func(row) int) measure {
		return measure{name: name, of: func(s row) (float64, bool) { return float64(of(s)) / float64(s.runs), s.checked > 0 }}
	}
	times := func(name string, of func(row) []float64) measure {
		return measure{name: name, time: true, of: func(s row) (float64, bool) {
			if s.served < s.runs {
				return 0, false
			}
			return median(slices.Clone(of(s)))
		}}
	}
	return []measure{
		count("errors without retry", func(s row) int { return s.failed[0] }),
		count("errors with retry", func(s row) int { return s.failed[1] }),
		count("disconnects", func(s row) int { return int(s.cut) }),
		count("hung requests", func(s row) int { return s.hung }),
		checked("acknowledged writes lost", func(s row) int { return s.lost }),
		checked("writes executed twice", func(s row) int { return s.duplicates[0] + s.duplicates[1] }),
		times("longest gap", func(s row) []float64 { return s.gap }),
		times("longest stall", func(s row) []float64 { return s.stall }),
		times(lastClient, func(s row) []float64 { return s.lastClient }),
	}
}

// rivals says in words where somebody was better than Holdfast. Whoever did not serve his clients again was better at nothing.
func (r *Record) rivals() (list []string) {
	for _, f := range faults() {
		ours, ok := r.row(f.name, Holdfast)
		if !ok {
			continue
		}
		for _, c := range contenders() {
			theirs, ok := r.row(f.name, c.name)
			if !ok || c.name == Holdfast || theirs.served < theirs.runs {
				continue
			}
			for _, m := range measures() {
				if f.later && m.name == lastClient {
					continue
				}
				if text := m.better(theirs, ours); text != "" {
					list = append(list, fmt.Sprintf("%s: %s had %s.", f.name, c.name, text))
				}
			}
		}
	}
	return append(list, r.steadyRivals()...)
}

// better is what they had better than we, or nothing.
func (m measure) better(theirs, ours row) string {
	a, ok := m.of(theirs)
	b, found := m.of(ours)
	switch {
	case !ok || !found || a >= b:
		return ""
	case !m.time:
		return fmt.Sprintf("fewer %s (%.4g against %.4g a run)", m.name, a, b)
	case a > b*betterPart || b-a < betterMillis:
		return ""
	default:
		return fmt.Sprintf("a shorter %s (%s against %s)", m.name, span(a), span(b))
	}
}

func (r *Record) steadyRivals() (list []string) {
	for _, c := range contenders() {
		if c.name == Holdfast {
			continue
		}
		for _, column := range steadyColumns() {
			theirs, ok := r.middle(c.name, column.of)
			ours, found := r.middle(Holdfast, column.of)
			if !ok || !found {
				continue
			}
			if column.more && theirs > ours*betterRate || !column.more && theirs*betterRate < ours {
				list = append(list, fmt.Sprintf("steady load: %s had the better %s (%s against %s).", c.name, column.name,
					column.show(theirs), column.show(ours)))
			}
		}
	}
	return list
}

// steadyColumn is one number of the steady load.
type steadyColumn struct {
	name string
	of   func(Block) float64
	show func(float64) string
	more bool // is better
}

func steadyColumns() []steadyColumn {
	perSecond := func(v float64) string { return fmt.Sprintf("%.0f/s", v) }
	return []steadyColumn{
		{"p50", func(b Block) float64 { return b.Latency.P50 }, span, false},
		{"p99", func(b Block) float64 { return b.Latency.P99 }, span, false},
		{"p99.9", func(b Block) float64 { return b.Latency.P999 }, span, false},
		{"closed loop of 50 connections", func(b Block) float64 { return b.Closed }, perSecond, true},
	}
}
