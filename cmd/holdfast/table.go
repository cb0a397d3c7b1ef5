package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"holdfast/admin"
)

// table draws a Status for people: per pool one line about its state, one about its clients, one per backend, and the last receipt.
type table struct {
	now   time.Time
	width int // columns; only explanations are wrapped, names and addresses stay whole
	color bool
}

// The colours of a terminal, as their SGR numbers.
const (
	green  = "32"
	yellow = "33"
	red    = "31"
	bold   = "1"
)

// paint colours text that is already padded, so that columns stay aligned.
func (t table) paint(sgr, text string) string {
	if !t.color || sgr == "" {
		return text
	}
	return "\x1b[" + sgr + "m" + text + "\x1b[0m"
}

func (t table) write(w io.Writer, st admin.Status) {
	if len(st.Pools) == 0 {
		fmt.Fprintln(w, "no pools")
	}
	for i, p := range st.Pools {
		if i > 0 {
			fmt.Fprintln(w)
		}
		t.writePool(w, p)
	}
}

func (t table) writePool(w io.Writer, p admin.Pool) {
	name, state, gate := printable(p.Name), printable(p.State), printable(p.Gate)
	fmt.Fprintf(w, "%s  %s for %s, gate %s, epoch %d (%s, %s)\n", t.paint(bold, name), t.paint(stateColor(state), state),
		age(t.now.Sub(p.Since)), t.paint(gateColor(gate), gate), p.Epoch, orDash(p.Protocol), orDash(p.Failover))
	if p.HeldByOperator {
		t.explain(w, "held", "by an operator, until 'holdfast release "+p.Name+"'")
	}
	if p.JournalError != "" {
		t.explain(w, "journal", "cannot be written, no promotion is possible: "+p.JournalError)
	}
	if p.Why != "" && (p.State != stateServing || p.Gate != admin.GateOpen) {
		t.explain(w, "why", p.Why)
	}
	if len(p.Listen) > 0 {
		t.explain(w, "listen", strings.Join(p.Listen, ", "))
	}
	t.explain(w, "load", fmt.Sprintf("%s, %d held, %d with requests in flight", count(p.Clients, "client"), p.Held, p.InFlight))
	if text := closedText(p.Closed); text != "" {
		t.explain(w, "closed", text)
	}
	if text := closedText(p.TurnedAway); text != "" {
		t.explain(w, "turned", "away "+text)
	}
	t.writeBackends(w, p)
	if p.LastReceipt != nil {
		t.writeReceipt(w, p)
	}
}

// explain writes "  label  text", wrapped under the text.
func (t table) explain(w io.Writer, label, text string) {
	const column = 10
	lines := wrap(printable(text), strings.Repeat(" ", column), t.width)
	fmt.Fprintf(w, "  %-*s%s\n", column-2, label, strings.TrimLeft(lines, " "))
}

// writeBackends aligns the columns by hand, because a tab writer would count colours as text.
func (t table) writeBackends(w io.Writer, p admin.Pool) {
	rows := [][]string{{"BACKEND", "ADDRESS", "ROLE", "VERDICT", "LAG"}}
	for _, b := range p.Backends {
		rows = append(rows, []string{printable(b.Name), printable(b.Address), orDash(b.Role), orDash(b.Verdict), lagText(b)})
	}
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], len([]rune(cell)))
		}
	}
	for i, row := range rows {
		mark := "  "
		if i > 0 && p.Master != "" && p.Backends[i-1].Name == p.Master {
			mark = "* "
		}
		fmt.Fprintln(w, strings.TrimRight(mark+t.cells(row, widths, i > 0), " "))
		if i > 0 {
			t.writeRemarks(w, p.Backends[i-1])
		}
	}
}

// writeRemarks says below a backend why it is not healthy, and in what clients would not find it like its master.
func (t table) writeRemarks(w io.Writer, b admin.Backend) {
	remarks := b.Differs
	if b.Verdict != verdictHealthy && b.Why != "" {
		remarks = append([]string{b.Why}, remarks...)
	}
	for _, text := range remarks {
		fmt.Fprintln(w, wrap(printable(text), "      ", t.width))
	}
}

// verdictColumn is the column that carries a colour.
const verdictColumn = 3

func (t table) cells(row []string, widths []int, colored bool) string {
	parts := make([]string, len(row))
	for i, cell := range row {
		padded := cell + strings.Repeat(" ", widths[i]-len([]rune(cell)))
		if i == verdictColumn && colored {
			padded = t.paint(verdictColor(cell), padded)
		}
		parts[i] = padded
	}
	return strings.Join(parts, "  ")
}

// lagText says of a replica how far it is behind, and whether that is the whole truth.
func lagText(b admin.Backend) string {
	if b.Role != admin.RoleReplica {
		return "-"
	}
	switch {
	case !b.LinkUp:
		return "link down"
	case b.LagBytes < 0:
		return "not known"
	case !b.InSync:
		return bytesText(b.LagBytes) + ", not in sync"
	default:
		return bytesText(b.LagBytes)
	}
}

func (t table) writeReceipt(w io.Writer, p admin.Pool) {
	r := p.LastReceipt
	t.explain(w, "last", fmt.Sprintf("%s -> %s, %s, %s ago, %s; lost %s", orDash(r.Old), orDash(r.New), r.Trigger,
		age(t.now.Sub(r.At)), millis(r.PhasesMS.Total()), lossText(*r)))
	if phases := phasesText(r.PhasesMS); phases != "" {
		t.explain(w, "", phases)
	}
	t.explain(w, "", fmt.Sprintf("held %d of %d; cut %s", r.Held, r.Clients, cutText(r.Cut)))
}

// lossText says what the stream lacks, and how many acknowledged writes may be gone beside that.
func lossText(r admin.Receipt) string {
	if r.AtRisk == 0 {
		return bytesText(r.BytesLost)
	}
	return fmt.Sprintf("%s, %d writes at risk", bytesText(r.BytesLost), r.AtRisk)
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return printable(s)
}

// The states that commands know by name. The full list is the state machine's; unknown ones are shown as they are.
const (
	stateServing = "serving"
	stateStuck   = "stuck"
)

func stateColor(state string) string {
	switch state {
	case stateServing:
		return green
	case stateStuck:
		return red
	default:
		return yellow
	}
}

func gateColor(gate string) string {
	switch gate {
	case admin.GateOpen:
		return green
	case admin.GateRefusing:
		return red
	default:
		return yellow
	}
}
