package bench

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var rewrite = flag.Bool("rewrite", false, "rewrite the expected outputs in testdata")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *rewrite {
		check(t, os.MkdirAll("testdata", 0o755))
		check(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	check(t, err)
	if got != string(want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func fakeReceipt() *Receipt {
	return &Receipt{Epoch: 2, Trigger: "automatic", Old: "redis1", New: "redis2", Clients: 50, Held: 31, Cut: map[string]int{"unknown": 3},
		Phases: map[string]float64{"total": 9.3, "promote": 1.2, "drain": 3, "odd": 0.1, "detect": 1}, OffsetSeen: 10, OffsetPromoted: 10}
}

func fakeResults() ([]result, Counts, Verification) {
	all := acts()
	results := []result{
		{act: all[0], before: 50, after: 50, gap: 23 * time.Millisecond, errors: map[string]int{unknownClass: 3, "TRYAGAIN": 0},
			receipt: fakeReceipt()},
		{act: all[1], before: 50, after: 50, gap: 1100 * time.Millisecond},
		{act: all[2], before: 50, after: 50, gap: 4 * time.Millisecond},
	}
	return results, Counts{OK: 1234567, Unknown: 3, Errors: map[string]int{unknownClass: 3}}, Verification{Checked: 80123, Applied: 1}
}

func TestSummary(t *testing.T) {
	results, n, v := fakeResults()
	var out bytes.Buffer
	promises := demoPromises(results, n, v, time.Minute, 0)
	newScreen(&out, false).summary(results, n, v, promises)
	golden(t, "summary.txt", out.String())
	if err := broken(promises); err != nil {
		t.Errorf("got %v, want every promise held", err)
	}
}

func TestSummaryOfBrokenPromises(t *testing.T) {
	results, n, v := fakeResults()
	results[0].after, results[1].gap, v.Lost = 12, 2*time.Second, 7
	v.Findings = []string{"bench:list:3: id 4 was acknowledged and is lost"}
	var out bytes.Buffer
	promises := demoPromises(results, n, v, time.Minute, 0)
	newScreen(&out, false).summary(results, n, v, promises)
	golden(t, "summary-broken.txt", out.String())
	if err := broken(promises); !errors.Is(err, ErrBroken) || strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("got %v, want three broken promises", err)
	}
}

func TestSummaryAdmitsAnExcusedLoss(t *testing.T) {
	results, n, v := fakeResults()
	v.Lost = 2
	var out bytes.Buffer
	promises := demoPromises(results, n, v, time.Millisecond, 5)
	newScreen(&out, false).summary(results, n, v, promises)
	want := "Lost: 2 of 80123 lost, 5 at risk, 0 stale replies, acknowledged at most 1.0 ms before the fault."
	if got := out.String(); broken(promises) != nil || !strings.Contains(got, want) {
		t.Errorf("got %v and\n%s\nwant the loss to be told", broken(promises), got)
	}
}

func TestReportShowsEvidenceOnlyWhenBroken(t *testing.T) {
	_, n, v := fakeResults()
	r := Report{Drill: "sigkill", Fault: "SIGKILL of the master", Seed: 1, ClientsBefore: 50, ClientsAfter: 50, Counts: n,
		Verification: v, Gap: 23 * time.Millisecond, Stall: 25 * time.Millisecond, Promotions: 1, Receipt: fakeReceipt(), Log: "level=INFO"}
	r.promise(true, "nothing runs twice", "%d duplicates", 0)
	golden(t, "report.txt", r.String())
	r.promise(false, "no read fails", "%d failed", 2)
	if got := r.String(); !strings.Contains(got, "BROKEN no read fails: 2 failed") || !strings.Contains(got, "level=INFO") {
		t.Errorf("got\n%s\nwant the broken promise and the log", got)
	}
}

func TestScreenRewritesOneLineOnATerminal(t *testing.T) {
	var out bytes.Buffer
	s := newScreen(&out, true)
	s.tick("one")
	s.tick("two")
	s.printf("stays\n")
	got := out.String()
	if strings.Count(got, "\r\x1b[K") != 3 || strings.Count(got, "\n") != 1 || !strings.HasSuffix(got, "\r\x1b[Kstays\n") {
		t.Errorf("got %q", got)
	}
	out.Reset()
	plain := newScreen(&out, false)
	plain.tick("one")
	plain.outcome(result{act: acts()[0], before: 1, after: 1, receipt: fakeReceipt()})
	if got := out.String(); strings.ContainsAny(got, "\r\x1b") || strings.Count(got, "\n") != 5 {
		t.Errorf("got %q, want plain lines", got)
	}
}

func TestTrafficLine(t *testing.T) {
	got := trafficLine(9812.4, Counts{Connected: 50}, PoolStatus{Gate: gateOpen})
	if want := "  9 812 commands/s   50 connected   errors none   gate open"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	got = trafficLine(0, Counts{Connected: 50}, PoolStatus{Gate: "shut", Held: 48})
	if want := "      0 commands/s   50 connected   errors none   gate shut, 48 held"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
