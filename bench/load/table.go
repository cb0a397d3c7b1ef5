package load

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
)

// WriteTable prints a result for people.
func (r Result) WriteTable(w io.Writer) error {
	fmt.Fprintf(w, "%s, %s\n", r.Address, r.Mode)
	fmt.Fprintf(w, "mix %s; %d connections, %d idle, churn %d/s; %.0f s after %.0f s of warm-up; seed %d\n\n", r.Settings.Mix,
		r.Settings.Connections, r.Settings.Idle, r.Settings.Churn, r.Settings.Seconds, r.Settings.WarmUp, r.Settings.Seed)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "\tcount\tp50\tp90\tp99\tp99.9\tp99.99\tmax")
	for _, row := range r.rows() {
		fmt.Fprintln(t, strings.Join(row, "\t"))
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("write table: %w", err)
	}
	_, err := fmt.Fprintf(w, "\n%s\n", strings.Join(r.sentences(), "\n"))
	return err
}

// rows are the latencies: of all, by kind, and to other connections.
func (r Result) rows() [][]string {
	row := func(name string, l Latency) []string {
		return []string{name, fmt.Sprint(l.Count), millis(l.P50), millis(l.P90), millis(l.P99), millis(l.P999), millis(l.P9999), millis(l.Max)}
	}
	rows := [][]string{row("all", r.Latency)}
	for _, name := range slices.Sorted(maps.Keys(r.Kinds)) {
		rows = append(rows, row(name, r.Kinds[name]))
	}
	for _, name := range slices.Sorted(maps.Keys(r.Deliveries)) {
		rows = append(rows, row(name+" delivered", r.Deliveries[name]))
	}
	if r.Connects != nil {
		rows = append(rows, row("connect", *r.Connects))
	}
	return rows
}

// lateMax is how late the generator may be, in ms, before the reader is warned. A machine with nothing else to do stays below 5 ms.
const lateMax = 10.0

// sentences are the numbers that are no latencies.
func (r Result) sentences() []string {
	list := []string{fmt.Sprintf("%.0f requests/s answered, %.0f commands/s", r.Rate, float64(r.Commands)/max(r.Seconds, 1e-9))}
	if !r.Closed {
		list[0] += fmt.Sprintf("; %d of %d scheduled, in %.1f s", r.Answered, r.Scheduled, r.Seconds)
	}
	list = append(list,
		fmt.Sprintf("errors %s; disconnects %d, connections replaced %d, idle lost %d", errorText(r.Errors), r.Disconnects,
			r.Replaced, r.IdleLost),
		fmt.Sprintf("generator: %.1f s of processor time in %.0f s, at most %s late", r.CPUSeconds,
			r.Seconds+r.Settings.WarmUp, millis(r.LateMillis)))
	if r.LateMillis > lateMax {
		list = append(list, fmt.Sprintf("the generator itself was up to %s late, because this machine is busy: the latencies contain that",
			millis(r.LateMillis)))
	}
	if r.Note != "" {
		list = append(list, r.Note)
	}
	return list
}

// errorText lists the errors, the most frequent first.
func errorText(classes map[string]int64) string {
	names := slices.SortedFunc(maps.Keys(classes), func(a, b string) int {
		return cmp.Or(cmp.Compare(classes[b], classes[a]), cmp.Compare(a, b))
	})
	var parts []string
	for _, name := range names {
		parts = append(parts, fmt.Sprintf("%d %s", classes[name], name))
	}
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, ", ")
}
