package peers

import "slices"

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
	Best      string            `json:"best_haproxy,omitempty"`
	Judged    Spread            `json:"judged"`
	Compared  bool              `json:"compared"` // Judged is a ratio; otherwise it is the number itself
	Rounds    int               `json:"rounds"`   // that could be judged
	Must      float64           `json:"must"`
	Aim       float64           `json:"aim,omitempty"`
	Held      string            `json:"held"`
	WhyAbsent string            `json:"why,omitempty"`
}

// judge works out one row.
func (b *book) judge(r row) Outcome {
	o := Outcome{
		ID: r.id, Title: r.title, Unit: r.unit, Values: map[string]Spread{}, Compared: r.against != againstLimit,
		Must: r.must, Aim: r.aim, Held: notMeasured,
	}
	for _, name := range slices.Concat([]string{holdfast, nginxStream, copyProxy, direct}, haproxies) {
		if s, ok := spreadOf(b.series(r, name)); ok {
			o.Values[name] = s
		}
	}
	o.Best = r.best(o.Values)
	series := b.judgedSeries(r, o.Best)
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

// drowned says that the rival seems to add nothing, or less than nothing: the noise is larger than what is looked for, and a
// ratio over the rounds that happen to have one would be luck.
func (r row) drowned(o Outcome) bool {
	return r.added && r.against == againstHAProxy && o.Values[o.Best].Median <= 0
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

// judgedSeries pairs Holdfast with its rival in each round. A round in which the rival added nothing gives no ratio.
func (b *book) judgedSeries(r row, best string) []float64 {
	other := best
	switch r.against {
	case againstLimit:
		return b.series(r, holdfast)
	case againstDirect:
		other = direct
	}
	var ratios []float64
	for round := range b.rounds {
		ours, ok := b.number(r, holdfast, round)
		theirs, found := b.number(r, other, round)
		if ok && found && theirs > 0 {
			ratios = append(ratios, ours/theirs)
		}
	}
	return ratios
}

func (b *book) why(r row, o Outcome) string {
	if fault := b.fault(r.cell, holdfast); fault != "" {
		return fault
	}
	if _, ok := o.Values[holdfast]; !ok {
		return "no number of Holdfast"
	}
	if r.against == againstHAProxy && o.Best == "" {
		return "no HAProxy to compare with"
	}
	if r.drowned(o) {
		return "what HAProxy adds drowns in the noise of this machine"
	}
	return "nothing to compare with"
}
