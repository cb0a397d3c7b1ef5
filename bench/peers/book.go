package peers

// Sample is what one block, trace or memory scene of one contender gave.
type Sample struct {
	Round     int    `json:"round"`
	Cell      string `json:"cell"`
	Contender string `json:"contender"`
	Values    values `json:"values,omitempty"`
	Error     string `json:"error,omitempty"` // why there are no values
}

// book holds all samples of a run.
type book struct {
	rounds  int
	samples []Sample
}

// at returns one number of one sample.
func (b *book) at(cell, contender, metric string, round int) (float64, bool) {
	for _, s := range b.samples {
		if s.Round == round && s.Cell == cell && s.Contender == contender {
			v, ok := s.Values[metric]
			return v, ok
		}
	}
	return 0, false
}

// fault returns why a contender has no number for a cell.
func (b *book) fault(cell, contender string) string {
	for _, s := range b.samples {
		if s.Cell == cell && s.Contender == contender && s.Error != "" {
			return s.Error
		}
	}
	return ""
}
