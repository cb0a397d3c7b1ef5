package peers

import (
	"fmt"
	"slices"
	"strings"
)

// warnOfCompany says when the machine was not ours: numbers of such a run are not worth publishing.
func (b *bench) warnOfCompany() {
	const (
		stealMax   = 0.01 // of all processor time; above it the ratios of one block begin to wander
		foreignMax = 0.05 // likewise; an idle machine with its own daemons shows 0.01 to 0.02
	)
	if share := b.mean("machine_steal_share"); share > stealMax {
		b.note("the host took %.1f %% of the processor time away: repeat on a quieter machine", 100*share)
	}
	if share := b.mean("foreign_share"); share > foreignMax {
		b.note("other processes used %.0f %% of the processor time: repeat on a quieter machine", 100*share)
	}
}

// mean is the average of a number over all samples that have it.
func (b *bench) mean(metric string) float64 {
	sum, n := 0.0, 0.0
	for _, s := range b.book.samples {
		if v, ok := s.Values[metric]; ok {
			sum, n = sum+v, n+1
		}
	}
	return sum / max(n, 1)
}

// warnOfNoCollection says when the row about pauses holds only because there was nothing to see.
func (b *bench) warnOfNoCollection() {
	seen := 0.0
	for round := range b.settings.Rounds {
		n, _ := b.book.at(cellPause, holdfast, "collections", round)
		seen += n
	}
	if seen == 0 && b.wanted[cellPause] {
		b.note("the collector of Holdfast did not run under load: the row about its pauses proves nothing")
	}
}

func (b *bench) note(format string, args ...any) {
	text := strings.ReplaceAll(fmt.Sprintf(format, args...), "\n", "; ")
	if !slices.Contains(b.record.Notes, text) {
		b.record.Notes = append(b.record.Notes, text)
		b.say("%s", text)
	}
}

func (b *bench) say(format string, args ...any) {
	fmt.Fprintf(b.options.Progress, format+"\n", args...)
}
