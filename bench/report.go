package bench

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Promise is one sentence of the guarantees, and whether a drill saw it held.
type Promise struct {
	Text string
	Held bool
	Got  string // what was seen
}

// Report is the outcome of one drill.
type Report struct {
	Drill, Fault  string
	Seed          uint64
	ClientsBefore int
	ClientsAfter  int // with the connection they had before
	Counts        Counts
	Verification  Verification
	Gap           time.Duration // longest time without a success at any client, the fault inside
	Stall         time.Duration // longest time one client waited for one operation
	Noise         time.Duration // how late the machine let a waiting goroutine run, as a measure for the gap
	LossAge       time.Duration // how long before a fault the oldest lost write had been acknowledged
	AtRisk        int           // writes that the receipts declare at risk
	ErrorOpsMax   int64         // most operations with an error at one client
	Promotions    int           // how far the epoch grew
	Receipt       *Receipt      // the last one
	Promises      []Promise
	Log           string // last lines of the daemon
}

// promise adds one sentence and what was seen of it.
func (r *Report) promise(held bool, text, format string, args ...any) {
	r.Promises = append(r.Promises, Promise{Text: text, Held: held, Got: fmt.Sprintf(format, args...)})
}

// Broken lists the promises that were not held.
func (r *Report) Broken() []Promise {
	return slices.DeleteFunc(slices.Clone(r.Promises), func(p Promise) bool { return p.Held })
}

// errorText is the errors by class, or "none".
func (r *Report) errorText() string { return errorText(r.Counts.Errors) }

func errorText(classes map[string]int) string {
	var parts []string
	for _, class := range slices.Sorted(maps.Keys(classes)) {
		if classes[class] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", classes[class], class))
		}
	}
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, ", ")
}

// String is the report for a terminal or a test log: a line of numbers, the promises, and evidence when one is broken.
func (r *Report) String() string {
	var b strings.Builder
	n, v := r.Counts, r.Verification
	fmt.Fprintf(&b, "%s: %s\n", r.Drill, r.Fault)
	if r.ClientsBefore > 0 { // otherwise the drill had clients of its own kind, and only the promises speak
		fmt.Fprintf(&b, "  clients %d -> %d, disconnects %d, commands %d, errors %s, reads failed %d, wrong %d, stale %d, hung %d (seed %d)\n",
			r.ClientsBefore, r.ClientsAfter, n.Disconnects, n.OK, r.errorText(), n.ReadsFailed, n.Wrong, n.Stale, n.Hung, r.Seed)
		fmt.Fprintf(&b, "  acknowledged lost %d, duplicates %d of %d checked; longest gap %s, longest stall %s; promotions %d\n",
			v.Lost, v.Duplicates, v.Checked, ms(r.Gap), ms(r.Stall), r.Promotions)
	}
	if r.Receipt != nil {
		fmt.Fprintf(&b, "  receipt: %s\n", r.Receipt)
	}
	for _, p := range r.Promises {
		fmt.Fprintf(&b, "  %-6s %s: %s\n", verdictWord(p.Held), p.Text, p.Got)
	}
	if len(r.Broken()) > 0 {
		for _, line := range slices.Concat(v.Findings, n.Notes) {
			fmt.Fprintf(&b, "    %s\n", line)
		}
		fmt.Fprintf(&b, "  the daemon's last lines:\n%s\n", r.Log)
	}
	return b.String()
}

func verdictWord(held bool) string {
	if held {
		return "held"
	}
	return "BROKEN"
}

// String is the receipt in one line.
func (r *Receipt) String() string {
	var phases []string
	for _, name := range phaseOrder(r.Phases) {
		phases = append(phases, fmt.Sprintf("%s %.1f", name, r.Phases[name]))
	}
	return fmt.Sprintf("epoch %d, %s, %s -> %s; %s ms; held %d of %d, cut %s; %d bytes lost, %d writes at risk",
		r.Epoch, r.Trigger, r.Old, r.New, strings.Join(phases, ", "), r.Held, r.Clients, errorText(r.Cut), r.BytesLost, r.AtRisk)
}

// phaseOrder puts the phases in the order in which they happen; names it does not know come before the total.
func phaseOrder(phases map[string]float64) []string {
	order := []string{"detect", "hold", "cut", "choose", "drain", "promote", "verify", "release"}
	names := slices.Sorted(maps.Keys(phases))
	rank := func(name string) int {
		if name == "total" {
			return len(order) + 1
		}
		if i := slices.Index(order, name); i >= 0 {
			return i
		}
		return len(order)
	}
	slices.SortStableFunc(names, func(a, b string) int { return rank(a) - rank(b) })
	return names
}

// ms shows a duration as people compare it: milliseconds below a second.
func ms(d time.Duration) string {
	if d < time.Second {
		return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
	}
	return fmt.Sprintf("%.2f s", d.Seconds())
}
