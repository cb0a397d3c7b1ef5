package resp

import "math"

// ackHistory counts acknowledged writes by the time at which they were acknowledged, coarser the older they are.
//
// The newest buckets are 8 ms wide. Of each width there are a few; one more makes the two oldest of them one bucket of twice
// the width. So a count back to any moment is too large by a fraction of its age, and never too small.
//
// Invariants: buckets are in the order of time, newest last, and their widths never grow towards the newest; until is the last
// tick of its bucket; every write is in exactly one bucket.
type ackHistory struct {
	n       int
	buckets [ackWidths*ackPerWidth + 1]ackBucket
}

// ackBucket holds n writes, acknowledged up to the tick until.
type ackBucket struct {
	until, n uint32
	width    uint8 // as a power of two of the narrowest
}

const (
	// ackNarrowest is 8 ms, in ticks; a power of two, so that a clock that wraps does so between two buckets.
	ackNarrowest = 8 * TicksPerMs
	// ackWidths: seven doublings reach back for five seconds of traffic at least; what is older becomes one bucket.
	ackWidths = 8
	// ackPerWidth bounds the error: five buckets or more of each narrower width are newer than any bucket, so that it is about
	// a fifth as wide as it is old.
	ackPerWidth = 6
)

// add counts n writes that are acknowledged now.
func (h *ackHistory) add(n, now uint32) {
	until := now | (ackNarrowest - 1)
	if h.n > 0 && h.buckets[h.n-1].until == until {
		h.buckets[h.n-1].n += n
		return
	}
	h.buckets[h.n] = ackBucket{until: until, n: n}
	h.n++
	h.thin()
}

// thin merges from the newest to the oldest, until no width has more than its share.
func (h *ackHistory) thin() {
	end := h.n
	for width := range uint8(ackWidths) {
		first := end
		for first > 0 && h.buckets[first-1].width == width {
			first--
		}
		if end-first <= ackPerWidth {
			return
		}
		h.merge(first, min(width+1, ackWidths-1))
		end = first + 1
	}
}

// merge makes the buckets at i and i+1 one.
func (h *ackHistory) merge(i int, width uint8) {
	older, newer := h.buckets[i], h.buckets[i+1]
	sum := min(uint64(older.n)+uint64(newer.n), math.MaxUint32)
	h.buckets[i] = ackBucket{until: newer.until, n: uint32(sum), width: width}
	copy(h.buckets[i+1:], h.buckets[i+2:h.n])
	h.n--
}

// since is at least the number of writes that were acknowledged at the tick from or later. A bucket that ends in the future is of
// another turn of the clock, days ago.
func (h *ackHistory) since(from, now uint32) (n int) {
	for _, b := range h.buckets[:h.n] {
		if !after(from, b.until) && !after(b.until, now|(ackNarrowest-1)) {
			n += int(b.n)
		}
	}
	return n
}
