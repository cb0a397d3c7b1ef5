package health

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"
)

// Bounds of what is kept in memory.
const (
	eventsMax   = 1000
	receiptsMax = 100
)

// history keeps the last events and receipts of a pool.
//
// Invariant: events are numbered without gaps; len(events) <= eventsMax, len(receipts) <= receiptsMax.
type history struct {
	mu       sync.Mutex // guards what follows
	seq      uint64
	events   []Event
	receipts []Receipt
}

// add numbers an event, keeps it and logs it.
func (h *history) add(s Settings, e Event) {
	h.mu.Lock()
	h.seq++
	e.Seq, e.At, e.Pool = h.seq, time.Now(), s.Name
	if len(h.events) == eventsMax {
		h.events = slices.Delete(h.events, 0, 1)
	}
	h.events = append(h.events, e)
	h.mu.Unlock()
	level := slog.LevelInfo
	if e.Kind == "warning" || e.To == StateNoMaster.String() || e.To == StateStuck.String() {
		level = slog.LevelWarn
	}
	s.Logger.LogAttrs(context.Background(), level, e.Text, slog.String("pool", s.Name), slog.String("event", e.Kind),
		slog.Uint64("epoch", e.Epoch), slog.String("backend", e.Node))
}

func (h *history) keep(r Receipt) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.receipts) == receiptsMax {
		h.receipts = slices.Delete(h.receipts, 0, 1)
	}
	h.receipts = append(h.receipts, r)
}

// Events returns the events after the one numbered seq, oldest first; at most the last 1000 are there.
func (c *Controller) Events(seq uint64) []Event {
	c.history.mu.Lock()
	defer c.history.mu.Unlock()
	i, _ := slices.BinarySearchFunc(c.history.events, seq, func(e Event, seq uint64) int {
		if e.Seq <= seq {
			return -1
		}
		return 1
	})
	return slices.Clone(c.history.events[i:])
}

// Remember takes over receipts from before this process, oldest first. Call it before Run.
func (c *Controller) Remember(receipts []Receipt) {
	c.history.mu.Lock()
	defer c.history.mu.Unlock()
	c.history.receipts = append(slices.Clone(receipts), c.history.receipts...)
}

// ReceiptsMax is how many receipts are remembered.
const ReceiptsMax = receiptsMax

// Receipts returns the last receipts, oldest first; at most 100 are there.
func (c *Controller) Receipts() []Receipt {
	c.history.mu.Lock()
	defer c.history.mu.Unlock()
	return slices.Clone(c.history.receipts)
}
