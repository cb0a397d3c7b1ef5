package main

import (
	"context"
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
)

// memory gives back to the system what a burst took, once it is not needed any more.
type memory struct {
	samples []metrics.Sample
	floor   uint64 // bytes that the last collection left
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

// look returns what is free when the process has grown since the last time, and says whether it did.
func (m *memory) look() bool {
	if float64(m.used()) <= float64(m.floor)*(1+memoryGrowth) {
		return false
	}
	debug.FreeOSMemory()
	m.floor = m.used()
	return true
}

// used is what this process holds of the system's memory for Go, in bytes.
func (m *memory) used() uint64 {
	metrics.Read(m.samples)
	return m.samples[0].Value.Uint64() - m.samples[1].Value.Uint64()
}
