package peers

import (
	"slices"
	"strings"
)

// Verdicts on a row.
const (
	heldAim     = "aim"
	heldMust    = "must"
	heldNot     = "NO"
	notMeasured = "not measured"
)

// Outcome is one row with its numbers: medians by contender, and the paired ratio that was judged.
type Outcome struct {
	ID        string            `json:"id"`
	Title     string            `json:"title"`
	Unit      string            `json:"unit,omitempty"`
	Values    map[string]Spread `json:"values"`
	Variant   string            `json:"variant,omitempty"` // what was judged; empty: Holdfast itself
	Best      string            `json:"best_haproxy,omitempty"`
	Judged    Spread            `json:"judged"`
	Compared  bool              `json:"compared"` // Judged is a ratio or a share; otherwise it is the number itself
	Rounds    int               `json:"rounds"`   // that could be judged
	Must      float64           `json:"must"`
	Aim       float64           `json:"aim,omitempty"`
	Held      string            `json:"held"`
	WhyAbsent string            `json:"why,omitempty"`
}

// judge works out one row.
func (b *book) judge(r row) Outcome {
	o := Outcome{
		ID: r.id, Title: r.title, Unit: r.unit, Values: map[string]Spread{}, Variant: r.variant,
		Compared: r.against != againstLimit, Must: r.must, Aim: r.aim, Held: notMeasured,
	}
	for _, name := range slices.Concat([]string{holdfast, nginxStream, copyProxy, direct}, haproxies, variants) {
		if s, ok := spreadOf(b.series(r, name)); ok {
			o.Values[name] = s
		}
	}
	o.Best = r.best(o.Values)
	series := b.judgedSeries(r)
	judged, ok := spreadOf(series)
	if !ok || r.drowned(o) {
		o.WhyAbsent = b.why(r, o)
		return o
	}
	o.Judged, o.Rounds = judged, len(series)
	switch {
	case r.aim > 0 && judged.Median <= r.aim, r.aim == 0 && judged.Median <= r.must:
		o.Held = heldAim
	case judged.Median <= r.must:
		o.Held = heldMust
	default:
		o.Held = heldNot
	}
	return o
}

// drowned says that the rival seems to add nothing, or less than nothing, or that Holdfast saves nothing: the noise is larger
// than what is looked for, and a ratio over the rounds that happen to have one would be luck.
func (r row) drowned(o Outcome) bool {
	switch {
	case r.against == againstGain:
		return o.Values[o.Best].Median <= o.Values[holdfast].Median
	case r.against == againstHAProxy:
		return r.added && o.Values[o.Best].Median <= 0
	default:
		return false
	}
}

// best is the configuration of HAProxy with the lowest median among those the row allows.
func (r row) best(medians map[string]Spread) string {
	best := ""
	for _, name := range r.allowed() {
		if s, ok := medians[name]; ok && (best == "" || s.Median < medians[best].Median) {
			best = name
		}
	}
	return best
}

func (r row) allowed() []string {
	if len(r.peers) > 0 {
		return r.peers
	}
	return haproxies
}

// number is one contender's number in one round. Without a proxy nothing is added, so there it is the number itself.
func (b *book) number(r row, contender string, round int) (float64, bool) {
	v, ok := b.at(r.cell, contender, r.metric, round)
	if !ok {
		return 0, false
	}
	if r.added && contender != direct {
		base, ok := b.at(r.cell, direct, r.metric, round)
		if !ok {
			return 0, false
		}
		v -= base
	}
	return v / r.scale, true
}

func (b *book) series(r row, contender string) []float64 {
	var numbers []float64
	for round := range b.rounds {
		if v, ok := b.number(r, contender, round); ok {
			numbers = append(numbers, v)
		}
	}
	return numbers
}

// rival is what a round of the row is held against: for HAProxy the configuration that was best in the rounds of the other half,
// the odd ones for an even one. Chosen from the same rounds, the best of several equal ones would be the one that had most luck.
func (b *book) rival(r row, round int) string {
	switch r.against {
	case againstDirect:
		return direct
	case againstItself:
		return holdfast
	}
	medians := map[string]Spread{}
	for _, name := range r.allowed() {
		if s, ok := spreadOf(b.half(r, name, 1-round%2)); ok {
			medians[name] = s
		} else if s, ok := spreadOf(b.series(r, name)); ok {
			medians[name] = s
		}
	}
	return r.best(medians)
}

// half are the numbers of the even rounds, or of the odd ones.
func (b *book) half(r row, contender string, parity int) []float64 {
	var numbers []float64
	for round := parity; round < b.rounds; round += 2 {
		if v, ok := b.number(r, contender, round); ok {
			numbers = append(numbers, v)
		}
	}
	return numbers
}

// judgedSeries pairs what is judged with its rival in each round. A round in which the rival added nothing gives no ratio.
func (b *book) judgedSeries(r row) []float64 {
	switch r.against {
	case againstLimit:
		return b.series(r, r.judged())
	case againstGain:
		return b.sharesLost(r)
	}
	var ratios []float64
	for round := range b.rounds {
		ours, ok := b.number(r, r.judged(), round)
		theirs, found := b.number(r, b.rival(r, round), round)
		if ok && found && theirs > 0 {
			ratios = append(ratios, ours/theirs)
		}
	}
	return ratios
}

// sharesLost are, round by round, what a variant costs more than Holdfast, in parts of what Holdfast saves beside the rival. A
// round in which Holdfast saved nothing has none.
func (b *book) sharesLost(r row) []float64 {
	var shares []float64
	for round := range b.rounds {
		variant, ok := b.number(r, r.judged(), round)
		ours, found := b.number(r, holdfast, round)
		theirs, rival := b.number(r, b.rival(r, round), round)
		if ok && found && rival && theirs > ours {
			shares = append(shares, (variant-ours)/(theirs-ours))
		}
	}
	return shares
}

func (b *book) why(r row, o Outcome) string {
	for _, name := range []string{r.judged(), holdfast} {
		if fault := b.fault(r.cell, name); fault != "" {
			return fault
		}
		if _, ok := o.Values[name]; !ok {
			return "no number of " + strings.Replace(name, holdfast, "Holdfast", 1)
		}
	}
	if (r.against == againstHAProxy || r.against == againstGain) && o.Best == "" {
		return "no HAProxy to compare with"
	}
	if r.drowned(o) && r.against == againstGain {
		return "Holdfast saves nothing here, so nothing can be lost"
	}
	if r.drowned(o) {
		return "what HAProxy adds drowns in the noise of this machine"
	}
	return "nothing to compare with"
}
