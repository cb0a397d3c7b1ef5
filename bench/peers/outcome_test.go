package peers

import (
	"bytes"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestSpreadOf(t *testing.T) {
	for _, c := range []struct {
		numbers []float64
		want    Spread
	}{
		{[]float64{3}, Spread{3, 3, 3}},
		{[]float64{9, 1, 2}, Spread{2, 1, 9}},
		{[]float64{4, 1, 2, 9}, Spread{3, 1, 9}},
	} {
		if got, ok := spreadOf(c.numbers); got != c.want || !ok {
			t.Errorf("%v: got %v, %v, want %v", c.numbers, got, ok, c.want)
		}
	}
	if _, ok := spreadOf(nil); ok {
		t.Error("no numbers have a median")
	}
}

// bookOf gives each contender one number per round in one cell.
func bookOf(cell, metric string, numbers map[string][]float64) *book {
	b := &book{}
	for name, list := range numbers {
		b.rounds = max(b.rounds, len(list))
		for round, n := range list {
			b.samples = append(b.samples, Sample{Round: round, Cell: cell, Contender: name, Values: values{metric: n}})
		}
	}
	return b
}

func rowNamed(t *testing.T, id string) row {
	t.Helper()
	for _, r := range rows() {
		if r.id == id {
			return r
		}
	}
	t.Fatalf("row %s: %v", id, ErrUnknownRow)
	return row{}
}

func TestJudgePairsRounds(t *testing.T) {
	// The machine is three times slower in the last round. The medians have the ratio 0.9, but most pairs have 0.75.
	b := bookOf(cellSmall1, "cpu_ns", map[string][]float64{
		holdfast:     {750, 900, 2250},
		haproxyPlain: {1000, 1000, 3000},
		haproxyAuto:  {1500, 1500, 4500},
		nginxStream:  {900, 900, 900},
	})
	got := b.judge(rowNamed(t, "small-1"))
	if want := (Spread{0.75, 0.75, 0.9}); got.Judged != want {
		t.Errorf("judged: got %v, want %v", got.Judged, want)
	}
	if got.Best != haproxyPlain || got.Held != heldAim || got.Values[holdfast].Median != 0.9 {
		t.Errorf("got best %q, held %q, median %v us", got.Best, got.Held, got.Values[holdfast].Median)
	}
}

// Two configurations of HAProxy do the same and differ by chance; Holdfast costs as much as they do. Held against whichever had
// more luck in the same rounds, it would seem to cost more.
func TestJudgeChoosesTheRivalFromOtherRounds(t *testing.T) {
	b := bookOf(cellSmall1, "cpu_ns", map[string][]float64{
		holdfast:     {1000, 1000, 1000, 1000},
		haproxyPlain: {900, 1080, 900, 1080},
		haproxyAuto:  {1100, 1020, 1100, 1020},
	})
	var rivals []string
	for round := range 4 {
		rivals = append(rivals, b.rival(rowNamed(t, "small-1"), round))
	}
	if want := []string{haproxyAuto, haproxyPlain, haproxyAuto, haproxyPlain}; !slices.Equal(rivals, want) {
		t.Errorf("got rivals %q, want %q", rivals, want)
	}
	if got := b.judge(rowNamed(t, "small-1")).Judged.Median; got > 1 {
		t.Errorf("got the ratio %v, want at most 1", got)
	}
}

func TestJudgeTakesTheBestConfigurationTheRowAllows(t *testing.T) {
	b := bookOf(cellGetMiB, "cpu_ns", map[string][]float64{
		holdfast: {200}, haproxyPlain: {400}, haproxyAuto: {410}, haproxySplice: {150}, haproxyBuffer: {160},
	})
	for id, want := range map[string]struct{ best, held string }{"1m-get": {haproxySplice, heldNot}, "1m-get-auto": {haproxyAuto, heldNot}} {
		if got := b.judge(rowNamed(t, id)); got.Best != want.best || got.Held != want.held {
			t.Errorf("%s: got %q, %q, want %q, %q", id, got.Best, got.Held, want.best, want.held)
		}
	}
}

func TestJudgeAddedLatency(t *testing.T) {
	b := bookOf(cellSmall1, "p50_us", map[string][]float64{holdfast: {42, 44}, haproxyPlain: {45, 45}, direct: {20, 20}})
	if got := b.judge(rowNamed(t, "p50")); got.Judged.Median != (1.1+1.2)/2 || got.Held != heldMust || got.Values[direct].Median != 20 {
		t.Errorf("against direct: got %v, %s, direct %v", got.Judged, got.Held, got.Values[direct])
	}
	b = bookOf(cellHalf, "p99_us", map[string][]float64{holdfast: {150, 130}, haproxyPlain: {200, 90}, direct: {100, 100}})
	got := b.judge(rowNamed(t, "p99"))
	if got.Judged.Median != 0.5 || got.Rounds != 1 {
		t.Errorf("a round in which HAProxy added nothing has no ratio: got %v over %d rounds", got.Judged, got.Rounds)
	}
}

func TestJudgeDoesNotCompareWithNoise(t *testing.T) {
	b := bookOf(cellHalf, "p99_us", map[string][]float64{holdfast: {150, 150, 150}, haproxyPlain: {90, 95, 200}, direct: {100, 100, 100}})
	if got := b.judge(rowNamed(t, "p99")); got.Held != notMeasured || !strings.Contains(got.WhyAbsent, "noise") {
		t.Errorf("got %q, %q", got.Held, got.WhyAbsent)
	}
}

func TestAddMachine(t *testing.T) {
	v := values{}
	addMachine(v, machineTicks{All: 1000, Idle: 500}, machineTicks{All: 1100, Idle: 520, Steal: 10}, int64(600*time.Millisecond))
	for name, want := range map[string]float64{"machine_busy_share": 0.8, "machine_steal_share": 0.1, "foreign_share": 0.2} {
		if got := v[name]; math.Abs(got-want) > 1e-9 {
			t.Errorf("%s: got %g, want %g", name, got, want)
		}
	}
}

func TestJudgeSaysWhatIsMissing(t *testing.T) {
	b := bookOf(cellSmall1, "cpu_ns", map[string][]float64{holdfast: {800}})
	if got := b.judge(rowNamed(t, "small-1")); got.Held != notMeasured || !strings.Contains(got.WhyAbsent, "HAProxy") {
		t.Errorf("without a peer: got %q, %q", got.Held, got.WhyAbsent)
	}
	b.samples[0] = Sample{Cell: cellSmall1, Contender: holdfast, Error: "connection refused"}
	if got := b.judge(rowNamed(t, "small-1")); got.Held != notMeasured || got.WhyAbsent != "connection refused" {
		t.Errorf("after a fault: got %q, %q", got.Held, got.WhyAbsent)
	}
	if got := (&book{rounds: 3}).judge(rowNamed(t, "gc-pause")); got.Held != notMeasured {
		t.Errorf("empty book: got %q", got.Held)
	}
}

func TestJudgeLimits(t *testing.T) {
	for _, c := range []struct {
		id, cell, metric string
		value            float64
		want             string
	}{
		{"calls-1", cellCalls1, "calls", 6.0, heldAim},
		{"calls-1", cellCalls1, "calls", 6.1, heldMust},
		{"calls-1", cellCalls1, "calls", 6.3, heldNot},
		{"gc-pause", cellPause, "pause_us", 90, heldAim},
		{"gc-pause", cellPause, "pause_us", 101, heldNot},
		{"idle-bytes", cellIdle, "bytes_per_conn", 643, heldMust},
	} {
		b := bookOf(c.cell, c.metric, map[string][]float64{holdfast: {c.value}})
		if got := b.judge(rowNamed(t, c.id)); got.Held != c.want || got.Compared {
			t.Errorf("%s %g: got %q, want %q", c.id, c.value, got.Held, c.want)
		}
	}
}

func TestChooseRows(t *testing.T) {
	got, err := chooseRows([]string{"1m-get", "small-5"})
	if want := []string{"small-50", "1m-get-auto", "1m-get"}; err != nil || !slices.Equal(rowIDs(got), want) {
		t.Errorf("got %v, %v, want %v", rowIDs(got), err, want)
	}
	if _, err := chooseRows([]string{"smal", "typo"}); !errors.Is(err, ErrUnknownRow) {
		t.Errorf("got %v, want %v", err, ErrUnknownRow)
	}
	seen := map[string]bool{}
	for _, r := range rows() {
		if seen[r.id] || r.must <= 0 || r.aim > r.must || r.scale == 0 {
			t.Errorf("row %s: twice, or limits or scale wrong", r.id)
		}
		seen[r.id] = true
	}
}

func TestEveryRowHasACell(t *testing.T) {
	known := map[string]bool{cellCalls1: true, cellCalls10: true, cellIdle: true, cellPause: true}
	for _, c := range cells() {
		known[c.name] = true
	}
	for _, r := range rows() {
		if !known[r.cell] {
			t.Errorf("row %s looks into cell %q, which nobody measures", r.id, r.cell)
		}
	}
}

func TestTable(t *testing.T) {
	b := bookOf(cellSmall1, "cpu_ns", map[string][]float64{
		holdfast: {11_000, 12_000}, haproxyPlain: {14_000, 15_000}, haproxyBuffer: {13_000, 13_000}, copyProxy: {150_000, 150_000},
	})
	var out bytes.Buffer
	if err := writeTable(&out, []Outcome{b.judge(rowNamed(t, "small-1")), b.judge(rowNamed(t, "gc-pause"))}); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	want := []string{
		"row holdfast variant haproxy nginx io.Copy direct ratio [min-max] must aim held",
		"small-1 CPU, GET/SET 100 B, 1 client 11.5 us - 13.0 us (256 KiB buffers) - 150 us - 0.88 [0.85-0.92] 0.9 0.82 must",
		"gc-pause largest pause of the collector - - - - - - - 100 - not measured: no number of Holdfast",
	}
	for i, line := range lines {
		if got := strings.Join(strings.Fields(line), " "); i >= len(want) || got != want[i] {
			t.Errorf("line %d: got %q", i, got)
		}
	}
}

func TestRotated(t *testing.T) {
	list := []string{"a", "b", "c"}
	for by, want := range []string{"abc", "bca", "cab", "abc"} {
		if got := strings.Join(rotated(list, by), ""); got != want {
			t.Errorf("by %d: got %s, want %s", by, got, want)
		}
	}
}
