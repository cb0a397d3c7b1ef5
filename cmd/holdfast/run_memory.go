package main

import (
	"context"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

const (
	// memoryLookEvery is how often the memory is looked at. Each look that finds growth costs one collection of a small heap.
	memoryLookEvery = 10 * time.Second

	// memoryGrowth is how far, as a share, the memory may stand above what the last collection left. A burst of large replies
	// stays in pools for two collections, which an idle proxy would not reach for minutes.
	memoryGrowth = 0.05

	// memoryPatienceMax is the most looks that are passed over while the memory stands above the least that there ever was. The Go
	// runtime collects as often by itself.
	memoryPatienceMax = 12
)

// memory gives back to the system what a burst took, once it is not needed any more.
//
// A look that finds the process grown collects. One that does not may have to as well: the burst may have been under way at the look
// before, and have left what it took then. So as long as more is held than any collection has left, there is one more after 1, 2,
// 4 and so on looks.
type memory struct {
	samples  []metrics.Sample
	floor    uint64 // bytes that the last collection left
	least    uint64 // bytes that any collection left; 0: there was none
	passed   int    // looks since the last collection
	patience int    // how many looks to pass over before the next one
}

func newMemory() *memory {
	return &memory{samples: []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}}
}

// keepLow returns memory until ctx ends.
func (m *memory) keepLow(ctx context.Context) error {
	ticker := time.NewTicker(memoryLookEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			m.look()
		}
	}
}

// look returns what is free when it may be worth it, and says whether it did.
func (m *memory) look() bool {
	used := m.used()
	grown := above(used, m.floor)
	m.passed++
	switch {
	case grown:
		m.patience = 1
	case !above(used, m.least) || m.passed < m.patience:
		return false
	default:
		m.patience = min(2*m.patience, memoryPatienceMax)
	}
	runtime.GC() // pools keep what they hold for one collection
	debug.FreeOSMemory()
	m.floor, m.passed = m.used(), 0
	if m.least == 0 || m.floor < m.least {
		m.least = m.floor
	}
	return true
}

// above tells growth from noise.
func above(used, floor uint64) bool { return float64(used) > float64(floor)*(1+memoryGrowth) }

// used is what this process holds of the system's memory for Go, in bytes.
func (m *memory) used() uint64 {
	metrics.Read(m.samples)
	return m.samples[0].Value.Uint64() - m.samples[1].Value.Uint64()
}
