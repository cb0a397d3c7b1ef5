package peers

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestJudgeAgainstItself(t *testing.T) {
	// The machine is twice as slow in the last round, and HAProxy, which nobody asked about here, is the fastest of all.
	b := bookOf(cellSmall1, "p50_us", map[string][]float64{
		holdfast: {80, 80, 160}, overUnix: {40, 60, 80}, haproxyPlain: {10, 10, 10}, direct: {5, 5, 5},
	})
	got := b.judge(rowNamed(t, "unix-1"))
	if want := (Spread{0.5, 0.5, 0.75}); got.Judged != want || got.Held != heldAim || got.Rounds != 3 {
		t.Errorf("got %v, %q over %d rounds, want %v", got.Judged, got.Held, got.Rounds, want)
	}
	if got.Variant != overUnix || got.Values[overUnix].Median != 60 || got.Values[holdfast].Median != 80 {
		t.Errorf("got variant %q, values %v", got.Variant, got.Values)
	}
	b = bookOf(cellSmall50, "cpu_ns", map[string][]float64{holdfast: {10_000}, overUnix: {10_100}})
	if got := b.judge(rowNamed(t, "unix-50")); got.Held != heldNot || math.Abs(got.Judged.Median-1.01) > 1e-9 {
		t.Errorf("a unix socket that costs more: got %v, %q", got.Judged, got.Held)
	}
}

func TestJudgeShareOfTheGainThatIsLost(t *testing.T) {
	for name, c := range map[string]struct {
		ours, variant, haproxy []float64
		want                   Spread
		held                   string
	}{
		"all of it kept":       {[]float64{200}, []float64{200}, []float64{600}, Spread{}, heldAim},
		"better than the rule": {[]float64{200}, []float64{160}, []float64{600}, Spread{-0.1, -0.1, -0.1}, heldAim},
		"an eighth lost":       {[]float64{200}, []float64{250}, []float64{600}, Spread{0.125, 0.125, 0.125}, heldAim},
		"a quarter lost":       {[]float64{200}, []float64{300}, []float64{600}, Spread{0.25, 0.25, 0.25}, heldNot},
		"as dear as HAProxy":   {[]float64{200}, []float64{600}, []float64{600}, Spread{1, 1, 1}, heldNot},
		"paired in each round": {
			[]float64{100, 200, 300}, []float64{110, 220, 330}, []float64{300, 400, 500}, Spread{0.1, 0.05, 0.15}, heldAim,
		},
		"a round without a gain": {
			[]float64{200, 700, 200}, []float64{240, 600, 240}, []float64{600, 600, 600}, Spread{0.1, 0.1, 0.1}, heldAim,
		},
		"a round without a rival": {[]float64{200, 200}, []float64{240, 400}, []float64{600}, Spread{0.1, 0.1, 0.1}, heldAim},
	} {
		b := bookOf(cellGetMiB, "cpu_ns", map[string][]float64{holdfast: c.ours, ordinaryUser: c.variant, haproxyAuto: c.haproxy})
		got := b.judge(rowNamed(t, "user-1m-get"))
		for _, pair := range [][2]float64{
			{got.Judged.Median, c.want.Median}, {got.Judged.Min, c.want.Min}, {got.Judged.Max, c.want.Max},
		} {
			if math.Abs(pair[0]-pair[1]) > 1e-9 {
				t.Errorf("%s: got %v, want %v", name, got.Judged, c.want)
			}
		}
		if got.Held != c.held {
			t.Errorf("%s: got %q, want %q", name, got.Held, c.held)
		}
	}
}

func TestJudgeSaysWhatAVariantLacks(t *testing.T) {
	rival, tuned := map[string][]float64{haproxyAuto: {600}}, map[string][]float64{haproxySplice: {100}}
	for _, c := range []struct {
		why     string
		numbers map[string][]float64
		rest    map[string][]float64
	}{
		{"no number of Holdfast, ordinary user", map[string][]float64{holdfast: {200}}, rival},
		{"no number of Holdfast", map[string][]float64{ordinaryUser: {200}}, rival},
		{"no HAProxy to compare with", map[string][]float64{holdfast: {200}, ordinaryUser: {210}}, tuned},
		{"saves nothing", map[string][]float64{holdfast: {610}, ordinaryUser: {620}}, rival},
	} {
		for name, list := range c.rest {
			c.numbers[name] = list
		}
		if got := bookOf(cellSetMiB, "cpu_ns", c.numbers).judge(rowNamed(t, "user-1m-set")); got.Held != notMeasured ||
			!strings.Contains(got.WhyAbsent, c.why) {
			t.Errorf("got %q, %q, want %q", got.Held, got.WhyAbsent, c.why)
		}
	}
	b := &book{rounds: 1, samples: []Sample{{Cell: cellGetMiB, Contender: crowdedUser, Error: "operation not permitted"}}}
	if got := b.judge(rowNamed(t, "user-full-get")); got.WhyAbsent != "operation not permitted" {
		t.Errorf("after a fault: got %q", got.WhyAbsent)
	}
}

// TestVariantsStayInTheirCells keeps the run short: a variant takes part only where a row of the table looks for it.
func TestVariantsStayInTheirCells(t *testing.T) {
	var all []*target
	for _, r := range recipes(Options{CopyProxy: []string{"copy"}, HoldPipes: []string{"hold"}}) {
		all = append(all, &target{name: r.name})
	}
	present := func(rows []row, cell string) []string {
		var names []string
		for _, t := range inCell(all, rows, cell) {
			if slices.Contains(variants, t.name) {
				names = append(names, t.name)
			}
		}
		return names
	}
	for cell, want := range map[string][]string{
		cellSmall1: {overUnix}, cellSmall50: {overUnix}, cellGetMiB: {ordinaryUser, crowdedUser}, cellSetMiB: {ordinaryUser, crowdedUser},
		cellPipeline: nil, cellChurn: nil, cellHalf: nil,
	} {
		if got := present(rows(), cell); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", cell, got, want)
		}
		if got, want := len(inCell(all, nil, cell)), len(all)-len(variants); got != want {
			t.Errorf("%s without rows about variants: got %d contenders, want %d", cell, got, want)
		}
	}
	few, err := chooseRows([]string{"user-1m-get", "small-1"})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := present(few, cellGetMiB), []string{ordinaryUser}; !slices.Equal(got, want) {
		t.Errorf("one row: got %q, want %q", got, want)
	}
	b := &bench{recipes: recipes(Options{CopyProxy: []string{"copy"}, HoldPipes: []string{"hold"}}), rows: few}
	if names := b.names(nil); slices.Contains(names, overUnix) || slices.Contains(names, crowdedUser) || !slices.Contains(names, direct) {
		t.Errorf("started for two rows: got %q", names)
	}
}

// TestRunStaysShort adds up the blocks of the default run. The rest of the ten minutes is for memory, traces, starts and the
// micro-benchmarks before it.
func TestRunStaysShort(t *testing.T) {
	const most = 6 * time.Minute
	var targets []*target
	for _, r := range recipes(Options{CopyProxy: []string{"copy"}, HoldPipes: []string{"hold"}}) {
		targets = append(targets, &target{name: r.name})
	}
	s := Options{}.settings()
	var total, ofVariants time.Duration
	for _, c := range cells() {
		each := time.Duration(s.roundsOf(c)*c.blocks) * (s.Block + s.Block/warmShare)
		all, peers := inCell(targets, rows(), c.name), inCell(targets, nil, c.name)
		total += each * time.Duration(len(all))
		ofVariants += each * time.Duration(len(all)-len(peers))
	}
	t.Logf("blocks take %v, of these the variants %v", total, ofVariants)
	if total > most || ofVariants == 0 {
		t.Errorf("blocks of the default run: got %v with %v for variants, want at most %v", total, ofVariants, most)
	}
}

// TestTableFitsOnAScreen fills every row with numbers of the length they have on a busy machine.
func TestTableFitsOnAScreen(t *testing.T) {
	const columnsMax = 200
	var outcomes []Outcome
	for _, r := range rows() {
		numbers := map[string][]float64{}
		for _, name := range slices.Concat([]string{holdfast, nginxStream, copyProxy, direct}, haproxies, variants) {
			numbers[name] = []float64{1000 * r.scale, 1234 * r.scale}
		}
		numbers[haproxySplice] = []float64{999 * r.scale, 1233 * r.scale} // it has the longest name
		outcomes = append(outcomes, bookOf(r.cell, r.metric, numbers).judge(r))
	}
	var out bytes.Buffer
	if err := writeTable(&out, outcomes); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(out.String()) {
		line, _, _ = strings.Cut(line, notMeasured+": ") // why is a sentence, and the last column
		if got := utf8.RuneCountInString(strings.TrimSpace(line)); got > columnsMax {
			t.Errorf("got %d columns, want at most %d:\n%s", got, columnsMax, line)
		}
	}
}
