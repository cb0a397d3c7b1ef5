package resp

import "testing"

// A command that waited for data was sent again, because it had most likely not been executed; given up, nobody knows.
func TestGivenUpUnknownIsCounted(t *testing.T) {
	l := newLine(t)
	l.send("BLPOP q 0")
	l.now += 100 * TicksPerMs
	if got := l.cut(RetryReads, 0); got != (CutCounts{Retried: 1}) {
		t.Errorf("cut: got %+v, want one that is sent again", got)
	}
	if got := l.c.GiveUp(); got != 1 {
		t.Errorf("given up: got %d of unknown outcome, want 1", got)
	}
	if got := l.c.GiveUp(); got != 0 {
		t.Errorf("given up again: got %d, want 0", got)
	}
	l.settle()
	l.wantDown(unknownText)
}
