package compare

import (
	"fmt"
	"slices"
)

// row is all rounds of one fault on one contender. Counts are sums, times are medians with the worst beside.
type row struct {
	contender                       string
	runs                            int
	served                          int
	requests                        [2]int // without and with retries, as all pairs here
	errors                          [2]map[string]int
	failed                          [2]int
	duplicates                      [2]int
	lost                            int
	reported                        int // of the lost, those that the contender itself declared at risk
	checked                         int
	hung                            int
	phantoms                        int
	cut                             int64 // disconnects
	clients                         int   // in all runs
	gap, stall, firstOK, lastClient []float64
}

// row adds up the outcomes of one fault on one contender; ok is false when there are none.
func (r *Record) row(fault, contender string) (sum row, ok bool) {
	sum = row{contender: contender, errors: [2]map[string]int{{}, {}}}
	for _, o := range r.Outcomes {
		if o.Fault == fault && o.Contender == contender {
			sum.add(o)
		}
	}
	return sum, sum.runs > 0
}

func (s *row) add(o Outcome) {
	s.runs++
	lost := 0
	for i, g := range o.Groups {
		s.requests[i] += g.Requests
		s.failed[i] += g.ErrorsTotal
		for class, n := range g.Errors {
			s.errors[i][class] += n
		}
		s.duplicates[i] += g.Duplicates
		lost += g.Lost
		s.checked += g.Checked
		s.hung += g.Hung
		s.phantoms += g.Phantoms
		s.cut += g.Disconnects
		s.clients += g.Clients
	}
	s.lost += lost
	s.reported += min(lost, o.ReportedRisk)
	s.gap, s.stall = append(s.gap, o.Gap), append(s.stall, o.Stall)
	if o.Served {
		s.served++
		s.firstOK, s.lastClient = append(s.firstOK, o.FirstOK), append(s.lastClient, o.LastClient)
	}
}

// rowHead names the columns of cells.
func rowHead() []string {
	return []string{
		"contender", "errors, no retry", "errors, retry", "disconnects", "acknowledged writes lost", "written twice, no retry / retry",
		"longest gap", "longest stall", "first success", "last client",
	}
}

// cells is the row as the tables show it.
func (s *row) cells() []string {
	return []string{
		s.contender, s.errorCell(0), s.errorCell(1), fmt.Sprintf("%d (%d clients)", s.cut, s.clients), s.lostCell(), s.duplicateCell(),
		worst(s.gap), worst(s.stall), s.servedCell(s.firstOK), s.servedCell(s.lastClient),
	}
}

func (s *row) errorCell(i int) string {
	if s.failed[i] == 0 {
		return fmt.Sprintf("0 of %d", s.requests[i])
	}
	text := fmt.Sprintf("%d of %d: %s", s.failed[i], s.requests[i], errorText(s.errors[i]))
	if s.hung > 0 && i == 0 {
		text += fmt.Sprintf("; %d hung", s.hung)
	}
	return text
}

func (s *row) lostCell() string {
	switch {
	case s.checked == 0:
		return "not served again"
	case s.lost == 0:
		return fmt.Sprintf("0 of %d", s.checked)
	default:
		return fmt.Sprintf("%d of %d; %d unreported", s.lost, s.checked, s.lost-s.reported)
	}
}

func (s *row) duplicateCell() string {
	if s.checked == 0 {
		return "-"
	}
	return fmt.Sprintf("%d / %d", s.duplicates[0], s.duplicates[1])
}

func (s *row) servedCell(times []float64) string {
	if s.served < s.runs {
		return fmt.Sprintf("never in %d of %d", s.runs-s.served, s.runs)
	}
	return worst(times)
}

// worst is the median, and the worst beside it when there is more than one.
func worst(times []float64) string {
	middle, ok := median(slices.Clone(times))
	if !ok {
		return "-"
	}
	if len(times) == 1 {
		return span(middle)
	}
	return fmt.Sprintf("%s, worst %s", span(middle), span(slices.Max(times)))
}
