package resp

import (
	"math/rand/v2"
	"testing"
)

// A count back to any moment is never below the truth, and under steady traffic above it by a fraction of its age alone.
func TestAckHistoryAgainstAList(t *testing.T) {
	for seed := range uint64(40) {
		random := rand.New(rand.NewPCG(seed, 1))
		gap := 1 + random.IntN(40) // in ticks, on average
		var a Acks
		var list []uint32
		now := random.Uint32() // most clocks of a seed wrap
		if seed%2 == 0 {
			now = -uint32(random.IntN(200_000))
		}
		for range 20_000 {
			now += uint32(random.IntN(2 * gap))
			a.Answered(true, now-uint32(random.IntN(5)), now)
			a.Date(now, now)
			list = append(list, now)
		}
		for age := uint32(0); age < 200_000; age = age*5/4 + 17 {
			from := now - age
			least, most := countSince(list, from), countSince(list, from-age/4-2*ackNarrowest)
			got := a.Since(from, now)
			if age >= 5*1000*TicksPerMs {
				most = len(list) // beyond the five seconds everything may be one bucket
			}
			if got < least || got > most {
				t.Fatalf("seed %d: got %d since %d ticks, want %d to %d", seed, got, age, least, most)
			}
			if risk := a.AtRisk(from); risk > got {
				t.Fatalf("seed %d: got %d at risk since %d ticks, more than the %d of all", seed, risk, age, got)
			}
		}
	}
}

func countSince(list []uint32, from uint32) (n int) {
	for _, at := range list {
		if !after(from, at) {
			n++
		}
	}
	return n
}

// Pauses make buckets uneven; nothing is forgotten for that.
func TestAckHistoryForgetsNothingOverPauses(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 7))
	var h ackHistory
	var list []uint32
	now := uint32(1 << 30)
	for range 5_000 {
		if random.IntN(10) == 0 {
			now += random.Uint32N(60_000 * TicksPerMs)
		}
		now += random.Uint32N(3)
		if now >= 1<<31 {
			break // as far as the order of the clock reaches
		}
		h.add(1, now)
		list = append(list, now)
	}
	if got := h.since(list[0], now); got != len(list) {
		t.Errorf("got %d in all, want %d", got, len(list))
	}
	for range 1_000 {
		from := now - random.Uint32N(now-list[0])
		if got, want := h.since(from, now), countSince(list, from); got < want {
			t.Errorf("got %d since %d, want %d or more", got, from, want)
		}
	}
	for i := 1; i < h.n; i++ {
		a, b := h.buckets[i-1], h.buckets[i]
		if !after(b.until, a.until) || b.width > a.width {
			t.Errorf("got bucket %+v before %+v", a, b)
		}
	}
}

// What lies more than half a turn of the clock back looks like the future, and is no longer counted.
func TestAckHistoryOfAnotherTurnOfTheClock(t *testing.T) {
	var h ackHistory
	h.add(1, 100)
	const later = 100 + 1<<31 + 5000
	if got := h.since(later-1000, later); got != 0 {
		t.Errorf("got %d, want none of the last two days", got)
	}
}
