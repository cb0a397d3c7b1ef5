package peers

import "slices"

// Spread is the middle of some numbers and how far they lie apart.
type Spread struct {
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
}

// spreadOf is false for no numbers.
func spreadOf(numbers []float64) (Spread, bool) {
	if len(numbers) == 0 {
		return Spread{}, false
	}
	sorted := slices.Sorted(slices.Values(numbers))
	middle := sorted[len(sorted)/2]
	if len(sorted)%2 == 0 {
		middle = (sorted[len(sorted)/2-1] + middle) / 2
	}
	return Spread{Median: middle, Min: sorted[0], Max: sorted[len(sorted)-1]}, true
}
