package chaos

import "testing"

// TestHalfOfTheClientsSpeakRESP3: both protocols meet every fault, and every kind of work but the caches meets both.
func TestHalfOfTheClientsSpeakRESP3(t *testing.T) {
	w := newCrew(1, workloads(), nil)
	three, spoken := 0, make(map[book]map[int]bool)
	for _, c := range w.clients {
		if spoken[c.book] == nil {
			spoken[c.book] = make(map[int]bool)
		}
		spoken[c.book][c.proto] = true
		if c.proto == 3 {
			three++
		}
	}
	if 2*three < len(w.clients) {
		t.Errorf("got %d of %d clients with RESP3, want at least half", three, len(w.clients))
	}
	for _, s := range w.shelf {
		if both := spoken[s.book]; !both[2] || !both[3] {
			t.Errorf("%s: got the protocols %v, want both", s.name, both)
		}
	}
}
