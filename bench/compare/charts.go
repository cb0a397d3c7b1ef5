package compare

import (
	"fmt"
	"io"
	"math"

	"holdfast/bench/chart"
)

// WritePage writes the report as one HTML page with charts.
func (r *Record) WritePage(w io.Writer) error {
	page := chart.Page{
		Title: "Holdfast compared",
		Intro: []string{
			fmt.Sprintf("%s; %s; %s.", r.Started.Format("2006-01-02 15:04 MST"), pairs(r.Versions), pairs(r.Machine)),
			"The charts show the first round of each fault; drag across one to look closer, click twice to go back.",
		},
	}
	page.Intro = append(page.Intro, r.Notes...)
	for _, t := range r.tables() {
		s := chart.Section{Title: t.title, Text: []string{t.text}, Tables: []chart.Table{{Head: t.head, Rows: t.rows}}}
		if over := r.overTime(t.title); over != nil {
			s.Charts = over
		} else {
			s.Charts = []chart.Chart{r.steadyCurve()}
		}
		page.Sections = append(page.Sections, s)
	}
	meanings := chart.Table{Head: []string{"column", "means"}}
	for _, word := range words() {
		meanings.Rows = append(meanings.Rows, []string{word[0], word[1]})
	}
	page.Sections = append(page.Sections,
		chart.Section{Title: "Where somebody was better than Holdfast", Text: orNowhere(r.rivals())},
		chart.Section{Title: "How it was measured", Text: r.method(), Tables: []chart.Table{meanings}},
	)
	return chart.Write(w, page)
}

// overTime draws the first round of a fault; nil when there is none.
func (r *Record) overTime(fault string) []chart.Chart {
	var first []Outcome
	from, until := math.MaxInt, math.MinInt
	for _, o := range r.Outcomes {
		if o.Fault == fault && o.Round == 0 && len(o.Tape.OK) > 0 {
			first = append(first, o)
			from, until = min(from, o.Tape.place(0)), max(until, o.Tape.place(len(o.Tape.OK)))
		}
	}
	if len(first) == 0 {
		return nil
	}
	var x []chart.Value
	for place := from; place < until; place++ {
		x = append(x, chart.Value(math.Round(float64(place)*bucket.Seconds()*10)/10))
	}
	perSecond := 1 / bucket.Seconds()
	draw := func(title, label string, log bool, of func(Tape, int) float64) chart.Chart {
		c := chart.Chart{Title: title, XLabel: "s since the fault", YLabel: label, LogY: log, X: x}
		for _, o := range first {
			c.Lines = append(c.Lines, chart.Series{Name: o.Contender, Values: o.Tape.values(from, until, of)})
		}
		return c
	}
	return []chart.Chart{
		draw(fault+": successes", "/s", false, func(t Tape, i int) float64 { return float64(t.OK[i]) * perSecond }),
		draw(fault+": errors", "/s", false, func(t Tape, i int) float64 { return float64(t.Errors[i]) * perSecond }),
		draw(fault+": slowest request", "ms", true, func(t Tape, i int) float64 { return t.Max[i] }),
	}
}

// place is the bucket's number on an axis whose zero is the fault.
func (t Tape) place(i int) int { return i + int(math.Round(t.From/bucket.Seconds())) }

// values are the buckets from one place to another; where the scene had not begun or was over there are none.
func (t Tape) values(from, until int, of func(Tape, int) float64) []chart.Value {
	values := make([]chart.Value, until-from)
	for i := range values {
		values[i] = chart.Value(math.NaN())
	}
	for i := range t.OK {
		if at := t.place(i) - from; at >= 0 && at < len(values) {
			values[at] = chart.Value(of(t, i))
		}
	}
	return values
}

// steadyCurve is latency by percentile, of the first block of each contender.
func (r *Record) steadyCurve() chart.Chart {
	c := chart.Chart{
		Title: "steady load: latency by percentile (1,000 = p99.9)", XLabel: "one request in", YLabel: "ms", LogX: true, LogY: true,
	}
	for _, b := range r.Steady {
		if b.Round > 0 {
			continue // the others look alike, and too many lines show nothing
		}
		line := chart.Series{Name: b.Contender}
		for i, q := range b.Latency.Quantiles {
			if q.Part >= 1 {
				continue
			}
			if len(c.X) <= i {
				c.X = append(c.X, chart.Value(1/(1-q.Part)))
			}
			line.Values = append(line.Values, chart.Value(q.Millis))
		}
		c.Lines = append(c.Lines, line)
	}
	for i := range c.Lines { // a block with fewer requests has fewer places
		for len(c.Lines[i].Values) < len(c.X) {
			c.Lines[i].Values = append(c.Lines[i].Values, chart.Value(math.NaN()))
		}
	}
	return c
}
