package authority

import (
	"os"
	"testing"

	"holdfast/health"
)

func TestReceiptsSurviveARestart(t *testing.T) {
	_, j := open(t, t.TempDir())
	if got, err := j.Receipts(10); err != nil || len(got) != 0 {
		t.Fatalf("before the first: got %v, %v", got, err)
	}
	for epoch := range uint64(5) {
		if err := j.Keep(health.Receipt{Pool: "cache", Epoch: epoch, Cut: health.CutReport{AtRisk: int(epoch)}}); err != nil {
			t.Fatal(err)
		}
	}
	tear(t, j.receiptsPath())
	if err := j.Keep(health.Receipt{Pool: "cache", Epoch: 5, Cut: health.CutReport{AtRisk: 5}}); err != nil {
		t.Fatal(err)
	}
	got, err := j.Receipts(3)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 3 || got[0].Epoch != 3 || got[2].Epoch != 5 || got[2].Cut.AtRisk != 5 {
		t.Errorf("got %+v, want the last three, oldest first", got)
	}
}

// tear leaves half a line at the end, as a crash does.
func tear(t *testing.T, path string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(`{"pool":"cache","epo`); err != nil {
		t.Fatal(err)
	}
}
