package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
	"time"
)

// By how much a proxy may hold more at the end than at the base line, as a share of it. After a short warm-up its buffers still
// grow, and only counts can be judged strictly; what a short run finds in memory is a leak of megabytes.
const soakShare, soakShareShort = 0.05, 1.0

// SoakCycle is what the proxy held once it had settled after one failover.
type SoakCycle struct {
	At       time.Duration `json:"at_ns"` // since the first kill, when the cycle ended
	Epoch    uint64        `json:"epoch"`
	Took     float64       `json:"failover_ms"`
	AtRisk   int           `json:"at_risk"`
	Readings int           `json:"readings"`
	Holdings Holdings      `json:"usage"` // median of the readings
	readings []Holdings
}

// SoakResult is what a soak has found. The base line is the median of all readings in the last quarter of the warm-up cycles, the end
// that of as many cycles at the end.
type SoakResult struct {
	Duration     time.Duration `json:"duration_ns"`
	Every        time.Duration `json:"every_ns"`
	Clients      int           `json:"clients"`
	Seed         uint64        `json:"seed"`
	WarmUp       int           `json:"warm_up_cycles"`
	Base         Holdings      `json:"base"`
	End          Holdings      `json:"end"`
	Idle         Holdings      `json:"idle"` // when all clients had gone
	Cycles       []SoakCycle   `json:"cycles"`
	Counts       Counts        `json:"counts"`
	Verification Verification  `json:"verification"`
	Stall        time.Duration `json:"longest_stall_ns"`
	Promises     []Promise     `json:"promises"`
}

// Broken lists the promises that were not held.
func (r *SoakResult) Broken() []Promise { return (&Report{Promises: r.Promises}).Broken() }

// baseline is what the proxy holds at the end of the warm-up; as much of the end is compared with it.
func (r *SoakResult) baseline() {
	n := max(1, r.WarmUp/4)
	r.Base = r.over(r.WarmUp-n, r.WarmUp)
	r.End = r.over(len(r.Cycles)-n, len(r.Cycles))
}

func (r *SoakResult) over(from, to int) Holdings {
	var all []Holdings
	for _, c := range r.Cycles[max(0, from):min(to, len(r.Cycles))] {
		all = append(all, c.readings...)
	}
	return median(all)
}

// judge turns the readings and what the clients saw into promises.
func (r *SoakResult) judge(report *Report) {
	r.baseline()
	for _, q := range quantities {
		if !q.judged {
			continue
		}
		base, end, share := *q.of(&r.Base), *q.of(&r.End), soakShare
		if q.bytes && time.Duration(r.WarmUp)*r.Every < warmUpWhole {
			share = soakShareShort
		}
		report.promise(within(base, end, q.slack, share), fmt.Sprintf("%s back to the base line within %.0f %%", q.name, 100*share),
			"%s, base line %s", show(end, q.bytes), show(base, q.bytes))
		if !q.bytes {
			worst := r.worst(q.of)
			report.promise(within(base, worst, q.slack, share), q.name+" back to the base line after each failover", "at most %d", worst)
		}
	}
	perClient := int64(2) // its connection and that to the backend
	want := r.Base.Descriptors - perClient*int64(r.Clients)
	report.promise(r.Idle.Descriptors <= want, "no descriptor stays behind the clients", "%d, want at most %d", r.Idle.Descriptors, want)
	r.judgeClients(report)
	r.Promises = report.Promises
}

// judgeClients checks what the load saw in all failovers together.
func (r *SoakResult) judgeClients(report *Report) {
	atRisk := 0
	for _, c := range r.Cycles {
		atRisk += c.AtRisk
	}
	n, v := r.Counts, r.Verification
	report.promise(n.Disconnects == 0 && report.ClientsAfter == r.Clients, "every client stays connected", "%d of %d, %d disconnects",
		report.ClientsAfter, r.Clients, n.Disconnects)
	report.judgeLoss(n, v, report.LossAge, atRisk)
	report.promise(v.Duplicates == 0, "nothing runs twice", "%d duplicates", v.Duplicates)
	report.promise(v.Phantoms+v.Disorder+v.Torn+v.Stray == 0, "what was refused did not happen, order and databases are kept",
		"%d phantoms, %d out of order, %d torn, %d stray", v.Phantoms, v.Disorder, v.Torn, v.Stray)
	report.promise(n.Wrong == 0 && n.Hung == 0 && n.ReadsFailed == 0, "no wrong reply, no hang, no failed read",
		"%d wrong, %d hung, %d reads failed", n.Wrong, n.Hung, n.ReadsFailed)
	report.promise(onlyDocumented(n.Errors), "only documented errors", "%s", errorText(n.Errors))
}

// within reports whether a quantity is back: less is no fault.
func within(base, now, slack int64, share float64) bool {
	return now-base <= max(slack, int64(float64(base)*share))
}

// worst is the largest median of the cycles behind the warm-up.
func (r *SoakResult) worst(of func(*Holdings) *int64) (most int64) {
	for i := min(r.WarmUp, len(r.Cycles)); i < len(r.Cycles); i++ {
		most = max(most, *of(&r.Cycles[i].Holdings))
	}
	return most
}

func show(n int64, bytes bool) string {
	if bytes {
		return fmt.Sprintf("%.2f MiB", float64(n)/(1<<20))
	}
	return fmt.Sprint(n)
}

// line reports one cycle while the soak goes on.
func (r *SoakResult) line(w io.Writer, n int) {
	if w == nil {
		return
	}
	c := &r.Cycles[n]
	note := "warm-up"
	if n >= r.WarmUp {
		r.baseline()
		note = fmt.Sprintf("memory %+.1f %%", 100*(float64(c.Holdings.PrivateDirty)/float64(max(1, r.Base.PrivateDirty))-1))
	}
	fmt.Fprintf(w, "%6s  failover %d took %.1f ms  %s private dirty, %s heap, %d descriptors, %d goroutines, %d pipes  %s\n",
		c.At.Round(time.Second), n+1, c.Took, show(c.Holdings.PrivateDirty, true), show(c.Holdings.Heap, true), c.Holdings.Descriptors,
		c.Holdings.Goroutines, c.Holdings.Pipes, note)
}

// WriteTable prints the result for people.
func (r *SoakResult) WriteTable(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%d failovers by SIGKILL in %s, one every %s, %d clients, seed %d\n\n", len(r.Cycles), r.Duration.Round(time.Second),
		r.Every, r.Clients, r.Seed)
	fmt.Fprintln(w, "held by the proxy\tbase line\tat the end\tchange\tmost after a failover\twithout clients")
	for _, q := range quantities {
		base, end := *q.of(&r.Base), *q.of(&r.End)
		change := "-"
		if base > 0 {
			change = fmt.Sprintf("%+.1f %%", 100*(float64(end)/float64(base)-1))
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", q.name, show(base, q.bytes), show(end, q.bytes), change,
			show(r.worst(q.of), q.bytes), show(*q.of(&r.Idle), q.bytes))
	}
	n := r.Counts
	fmt.Fprintf(w, "\ncommands\t%d ok, %d unknown, %d refused\nlongest stall\t%s\nerrors\t%s\n\n", n.OK, n.Unknown, n.Fail, ms(r.Stall),
		errorText(n.Errors))
	for _, p := range r.Promises {
		mark := "held"
		if !p.Held {
			mark = "BROKEN"
		}
		fmt.Fprintf(w, "%s\t%s: %s\n", mark, p.Text, p.Got)
	}
	return w.Flush()
}

// WriteJSON writes the result with the figures of each cycle.
func (r *SoakResult) WriteJSON(out io.Writer) error {
	e := json.NewEncoder(out)
	e.SetIndent("", " ")
	return e.Encode(r)
}
