package chaos

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"text/tabwriter"
	"time"
)

// progressEvery is how often a run says how far it is.
const progressEvery = 10 * time.Second

// Report is what a run found. Its JSON is what a later run is compared with.
type Report struct {
	Seed      uint64    `json:"seed"`
	Started   time.Time `json:"started"`
	Seconds   float64   `json:"seconds"`
	Planned   int       `json:"planned"`
	Cycles    int       `json:"cycles"`
	Failed    int       `json:"failed"`
	Checked   int       `json:"ops_checked"`
	Workloads []string  `json:"workloads"`
	LeftOut   []string  `json:"left_out,omitempty"` // faults that cannot be committed here
	Rows      []*Row    `json:"rows"`
	Verdicts  []Verdict `json:"verdicts"`
	Failures  []Result  `json:"failures,omitempty"`

	mu       sync.Mutex // guards all while jobs run
	progress io.Writer
	told     time.Time
	verdicts verdicts
}

// Row sums up the cycles of one fault.
type Row struct {
	Fault          string         `json:"fault"`
	Text           string         `json:"text"`
	Flavour        string         `json:"rig"`
	Cycles         int            `json:"cycles"`
	Held           int            `json:"held"`
	Promotions     int            `json:"promotions"`
	Adoptions      int            `json:"adoptions"`
	GapMedian      time.Duration  `json:"gap_median_ns"`
	GapMax         time.Duration  `json:"gap_max_ns"`
	NoiseMax       time.Duration  `json:"noise_max_ns"`
	Unknown        int            `json:"unknown"`
	Applied        int            `json:"unknown_applied"`
	Errors         map[string]int `json:"errors"`
	Disconnects    int            `json:"disconnects"`
	Closed         map[string]int `json:"closed"`
	AtRisk         int            `json:"at_risk"`
	LostReported   int            `json:"lost_reported"`
	LostUnreported int            `json:"lost_unreported"`
	LostUncounted  int            `json:"lost_uncounted"`
	Duplicates     int            `json:"duplicates"`
	Hung           int            `json:"hung"`
	Zombies        int            `json:"zombies"`
	DirtyReads     int            `json:"dirty_reads"`
	Undecided      int            `json:"undecided"`
	JobsEaten      int            `json:"jobs_eaten"`
	MessageGaps    int            `json:"message_gaps"`
	Checked        int            `json:"ops_checked"`
	Bound          float64        `json:"failure_rate_below"` // with 95 % confidence; only of a row in which all held

	gaps []time.Duration
}

func newReport(o Options, lists [][]task) *Report {
	r := &Report{Seed: o.Seed, LeftOut: o.left, Started: time.Now(), told: time.Now(), progress: o.Progress}
	for _, w := range o.workloads {
		r.Workloads = append(r.Workloads, w.name)
	}
	for _, list := range lists {
		r.Planned += len(list)
	}
	for _, text := range o.left {
		fmt.Fprintf(r.progress, "left out: %s\n", text)
	}
	fmt.Fprintf(r.progress, "seed %d: %d cycles, %d at a time\n", r.Seed, r.Planned, o.Jobs)
	return r
}

// add takes one cycle in and returns how many have failed.
func (r *Report) add(res Result) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Cycles++
	r.Checked += res.Checked
	r.row(res.Fault).add(res)
	for _, v := range res.Verdicts {
		r.verdicts.addNamed(v)
	}
	if !res.Held {
		r.Failed++
		r.Failures = append(r.Failures, res)
		fmt.Fprint(r.progress, res.String(r.Seed))
	}
	if time.Since(r.told) >= progressEvery {
		r.told = time.Now()
		fmt.Fprintf(r.progress, "%5.0fs: %d of %d cycles, %d failed, %d operations checked\n", time.Since(r.Started).Seconds(), r.Cycles,
			r.Planned, r.Failed, r.Checked)
	}
	return r.Failed
}

func (r *Report) row(name string) *Row {
	for _, row := range r.Rows {
		if row.Fault == name {
			return row
		}
	}
	row := &Row{Fault: name, Errors: make(map[string]int), Closed: make(map[string]int)}
	for _, f := range faults() {
		if f.name == name {
			row.Text, row.Flavour = f.text, f.flavour.String()
		}
	}
	r.Rows = append(r.Rows, row)
	return row
}

func (w *Row) add(res Result) {
	w.Cycles++
	if res.Held {
		w.Held++
	}
	w.Promotions += res.Promotions
	w.Adoptions += res.Adoptions
	w.gaps = append(w.gaps, res.Gap)
	w.NoiseMax = max(w.NoiseMax, res.Noise)
	w.Unknown += res.Unknown
	w.Applied += res.Applied
	for class, n := range res.Errors {
		w.Errors[class] += n
	}
	w.Disconnects += res.Disconnects
	for reason, n := range res.Closed {
		w.Closed[reason] += n
	}
	w.AtRisk += res.AtRisk
	w.LostReported += res.LostReported
	w.LostUnreported += res.LostUnreported
	w.LostUncounted += res.LostUncounted
	w.Duplicates += res.Duplicates
	w.Hung += res.Hung
	w.Zombies += res.Zombies
	w.DirtyReads += res.DirtyReads
	w.Undecided += res.Undecided
	w.JobsEaten += res.JobsEaten
	w.MessageGaps += res.MessageGaps
	w.Checked += res.Checked
}

// finish computes what needs all cycles.
func (r *Report) finish() {
	r.Seconds = time.Since(r.Started).Seconds()
	r.Verdicts = r.verdicts.list()
	order := make(map[string]int)
	for i, f := range faults() {
		order[f.name] = i
	}
	slices.SortFunc(r.Rows, func(a, b *Row) int { return order[a.Fault] - order[b.Fault] })
	for _, w := range r.Rows {
		slices.Sort(w.gaps)
		w.GapMedian, w.GapMax = w.gaps[len(w.gaps)/2], w.gaps[len(w.gaps)-1]
		if w.Held == w.Cycles {
			w.Bound = 3 / float64(w.Cycles)
		}
	}
}

// WriteJSON writes everything.
func (r *Report) WriteJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", " ")
	return enc.Encode(r)
}

// WriteTable writes a line for each fault and one for each invariant.
func (r *Report) WriteTable(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, strings.Join(rowTitles(), "\t"))
	for _, row := range r.Rows {
		fmt.Fprintln(w, strings.Join(row.cells(), "\t"))
	}
	fmt.Fprintln(w)
	for _, v := range r.Verdicts {
		fmt.Fprintf(w, "%s\t%s\tchecked %d\tbroken %d\n", v.Invariant, v.Text, v.Checked, v.Broken)
	}
	fmt.Fprintf(w, "\nseed %d: %d of %d cycles held in %.0f s, %d operations checked\n", r.Seed, r.Cycles-r.Failed, r.Cycles, r.Seconds,
		r.Checked)
	if r.Cycles < r.Planned {
		fmt.Fprintf(w, "%d of %d planned cycles were not begun\n", r.Planned-r.Cycles, r.Planned)
	}
	return w.Flush()
}

func rowTitles() []string {
	return []string{"FAULT", "HELD", "FAILS IN", "PROMOTIONS", "ADOPTIONS", "GAP MEDIAN / MAX", "MACHINE LATE", "UNKNOWN (RAN)",
		"OTHER ERRORS", "DISCONNECTS", "LOST / AT RISK", "UNCOUNTABLE", "UNREPORTED", "DUPLICATES", "HUNG", "ZOMBIE", "DIRTY READS", "JOBS EATEN",
		"MESSAGES MISSED", "UNDECIDED", "CHECKED"}
}

// cells are the columns of rowTitles. A fault of which all N cycles held fails in less than 3/N, with 95 % confidence.
func (w *Row) cells() []string {
	bound := "-"
	if w.Bound > 0 {
		bound = fmt.Sprintf("< %.2g %%", 100*min(1, w.Bound))
	}
	cells := []string{w.Fault, fmt.Sprintf("%d of %d", w.Held, w.Cycles), bound, strconv.Itoa(w.Promotions),
		strconv.Itoa(w.Adoptions),
		fmt.Sprintf("%s / %s", ms(w.GapMedian), ms(w.GapMax)), ms(w.NoiseMax),
		fmt.Sprintf("%d (%d)", w.Errors[unknownClass], w.Applied),
		classes(w.Errors, unknownClass), w.disconnectText(), fmt.Sprintf("%d / %d", w.LostReported, w.AtRisk)}
	for _, n := range []int{w.LostUncounted, w.LostUnreported, w.Duplicates, w.Hung, w.Zombies, w.DirtyReads,
		w.JobsEaten, w.MessageGaps, w.Undecided, w.Checked} {
		cells = append(cells, strconv.Itoa(n))
	}
	return cells
}

func (w *Row) disconnectText() string {
	if len(w.Closed) == 0 {
		return fmt.Sprint(w.Disconnects)
	}
	return fmt.Sprintf("%d: %s", w.Disconnects, classes(w.Closed))
}

// classes lists counts by name, without some of them.
func classes(m map[string]int, without ...string) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(m)) {
		if !slices.Contains(without, name) {
			parts = append(parts, fmt.Sprintf("%s %d", name, m[name]))
		}
	}
	if len(parts) == 0 {
		return "0"
	}
	return strings.Join(parts, ", ")
}

func ms(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond)) }

// String is a failed cycle with all that is needed to look into it.
func (r Result) String(seed uint64) string {
	var b strings.Builder
	fmt.Fprintf(&b, "FAILED %s; again with: --seed %d --cycle %s\n", r.Cycle, seed, r.Cycle)
	fmt.Fprintf(&b, "  %d promotions, %d adoptions, gap %s, errors %s, %d disconnects, closed %s, at risk %d, bytes lost %d\n", r.Promotions,
		r.Adoptions, ms(r.Gap), classes(r.Errors), r.Disconnects, classes(r.Closed), r.AtRisk, r.BytesLost)
	for _, v := range r.Verdicts {
		for _, f := range v.Findings {
			fmt.Fprintf(&b, "  %s (%s): %s\n", v.Invariant, v.Text, f)
		}
	}
	for _, text := range slices.Concat(r.Receipts, r.Notes) {
		fmt.Fprintf(&b, "  %s\n", strings.ReplaceAll(text, "\n", "\n    "))
	}
	fmt.Fprintf(&b, "  the daemon's log:\n%s", r.Log)
	return b.String()
}
