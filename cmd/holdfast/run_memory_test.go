package main

import "testing"

// What a burst left behind is given back at the next look, and a process that stands still is left alone.
func TestMemoryOfABurstIsGivenBack(t *testing.T) {
	m := newMemory()
	m.look()
	floor := m.floor
	const burst = 64 << 20
	touched := make([]byte, burst)
	for i := 0; i < len(touched); i += 4096 {
		touched[i] = 1
	}
	if grown := m.used(); grown < floor+burst*7/8 { // what other tests left may go meanwhile
		t.Fatalf("with the burst: got %d bytes, want at least %d", grown, floor+burst*7/8)
	}
	if touched[4096] != 1 {
		t.Fatal("the burst was not written")
	}
	touched = nil
	if !m.look() {
		t.Fatal("the growth was not seen")
	}
	if left := m.used(); left > floor+burst/4 {
		t.Errorf("after the look: got %d bytes, want about %d", left, floor)
	}
	if m.look() {
		t.Error("a process that stands still was collected again")
	}
}
