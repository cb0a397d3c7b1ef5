package main

import (
	"runtime"
	"testing"
)

// burstBytes is far above what the tests themselves need.
const burstBytes = 64 << 20

// burst takes memory and touches it.
func burst(t *testing.T, m *memory) []byte {
	t.Helper()
	before := m.used()
	touched := make([]byte, burstBytes)
	for i := 0; i < len(touched); i += 4096 {
		touched[i] = 1
	}
	if grown := m.used(); grown < before+burstBytes*7/8 { // what other tests left may go meanwhile
		t.Fatalf("with the burst: got %d bytes, want at least %d", grown, before+burstBytes*7/8)
	}
	return touched
}

// What a burst left behind is given back at the next look.
func TestMemoryOfABurstIsGivenBack(t *testing.T) {
	m := newMemory()
	m.look()
	floor := m.floor
	if taken := burst(t, m); taken[4096] != 1 {
		t.Fatal("the burst was not written")
	}
	if !m.look() {
		t.Fatal("the growth was not seen")
	}
	if left := m.used(); left > floor+burstBytes/4 {
		t.Errorf("after the look: got %d bytes, want about %d", left, floor)
	}
}

// A burst that is under way at a look is over at a later one, which finds no growth.
func TestMemoryOfALongBurstIsGivenBack(t *testing.T) {
	m := newMemory()
	m.look()
	floor := m.floor
	taken := burst(t, m)
	if !m.look() || taken[4096] != 1 {
		t.Fatal("the growth was not seen")
	}
	runtime.KeepAlive(taken)
	for range memoryPatienceMax {
		m.look()
	}
	if left := m.used(); left > floor+burstBytes/4 {
		t.Errorf("long after the burst: got %d bytes, want about %d", left, floor)
	}
}

// A process that goes on needing more than it did once is collected ever less often.
func TestMemoryThatStaysIsLeftAlone(t *testing.T) {
	m := newMemory()
	m.look()
	taken := burst(t, m)
	collected := 0
	for range 5 * memoryPatienceMax {
		if m.look() {
			collected++
		}
	}
	if collected < 3 || collected > 9 { // at looks 1, 2, 4, 8, 16, 28, 40, 52
		t.Errorf("got %d collections in %d looks, want 8", collected, 5*memoryPatienceMax)
	}
	runtime.KeepAlive(taken)
}
