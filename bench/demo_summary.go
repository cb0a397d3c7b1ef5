package bench

import (
	"fmt"
	"strings"
)

// outcome tells how one act ended: the pause, the promotion, the receipt.
func (s *screen) outcome(r result) {
	s.event("%s %s   clients %d -> %d   errors %s", s.bold("longest pause"), s.verdict(r.gap <= r.act.gapMax, ms(r.gap)),
		r.before, r.after, errorText(r.errors))
	if r.receipt == nil {
		return
	}
	s.event("%s %s -> %s, epoch %d (%s)", s.bold("promoted"), r.receipt.Old, r.receipt.New, r.receipt.Epoch, r.receipt.Trigger)
	var phases []string
	for _, name := range phaseOrder(r.receipt.Phases) {
		phases = append(phases, fmt.Sprintf("%s %.1f", name, r.receipt.Phases[name]))
	}
	s.event("%s %s ms", s.bold("receipt"), strings.Join(phases, ", "))
	s.event("        held %d of %d, cut in flight %s; %d bytes lost, %d writes at risk", r.receipt.Held, r.receipt.Clients,
		errorText(r.receipt.Cut), r.receipt.BytesLost, r.receipt.AtRisk)
}

// verdict paints a value by whether it is within its promise.
func (s *screen) verdict(held bool, text string) string {
	if held {
		return s.green(text)
	}
	return s.red(text)
}

// summary is the last thing the demo shows: one line for each act, the totals, and the verdict.
func (s *screen) summary(results []result, n Counts, v Verification, promises []Promise) {
	s.printf("\n%s\n\n", s.bold("What clients noticed"))
	s.printf("  %s\n", s.dim(fmt.Sprintf("%-12s  %-10s  %12s  %10s  %s", "fault", "connected", "longest gap", "promised", "errors")))
	for _, r := range results {
		gap := s.verdict(r.gap <= r.act.gapMax, fmt.Sprintf("%12s", ms(r.gap)))
		s.printf("  %-12s  %-10s  %s  %10s  %s\n", r.act.short, fmt.Sprintf("%d -> %d", r.before, r.after), gap, ms(r.act.gapMax),
			errorText(r.errors))
	}
	s.printf("\n  %s commands answered, %s writes checked on the last master:\n", thousands(n.OK), thousands(int64(v.Checked)))
	s.printf("  %s, %s, %s, %s\n", s.zero(v.Lost, "acknowledged writes lost"), s.zero(v.Duplicates, "duplicates"),
		s.zero(int(n.Wrong), "wrong replies"), s.zero(int(n.Disconnects), "disconnects"))
	if unknown := n.Errors[unknownClass]; unknown > 0 {
		s.printf("  %d writes were in flight when their master was lost and were answered -%s;\n", unknown, unknownClass)
		s.printf("  at least %d of them turned out to have been executed, once each.\n", v.Applied)
	}
	s.printf("\n")
	held := true
	for _, p := range promises {
		if p.Held && p.Text == lossPromise && v.Lost+int(n.Stale) > 0 {
			s.printf("  Lost: %s.\n", p.Got)
			s.printf("  Redis had answered these and passed them on to nobody when it was stopped; the receipt declared them at risk.\n\n")
		}
		if !p.Held {
			held = false
			s.printf("  %s  %s: %s\n", s.red("BROKEN"), p.Text, p.Got)
		}
	}
	if held {
		s.printf("  %s\n", s.green(fmt.Sprintf("All %d promises held.", len(promises))))
		return
	}
	for _, line := range append(v.Findings, n.Notes...) {
		s.printf("    %s\n", line)
	}
}

// zero paints a count that must be nothing.
func (s *screen) zero(n int, what string) string {
	return s.verdict(n == 0, fmt.Sprintf("%d %s", n, what))
}
