package peers

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// writeTable prints the outcomes for people.
func writeTable(w io.Writer, outcomes []Outcome) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "row\t\tholdfast\tvariant\thaproxy\tnginx\tio.Copy\tdirect\tratio [min-max]\tmust\taim\theld")
	for _, o := range outcomes {
		fmt.Fprintln(t, strings.Join([]string{
			o.ID, o.Title, o.cell(holdfast), o.cell(o.Variant), o.bestCell(), o.cell(nginxStream), o.cell(copyProxy), o.cell(direct),
			o.judgedCell(), number(o.Must), number(o.Aim), o.heldCell(),
		}, "\t"))
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("write table: %w", err)
	}
	return nil
}

func (o Outcome) cell(contender string) string {
	s, ok := o.Values[contender]
	if !ok {
		return "-"
	}
	return strings.TrimSpace(fmt.Sprintf("%s %s", shown(s.Median), o.Unit))
}

// bestCell says which configuration the number belongs to, unless it is the plain one.
func (o Outcome) bestCell() string {
	name := strings.TrimPrefix(strings.TrimPrefix(o.Best, haproxyPlain), " ")
	if name == "" {
		return o.cell(o.Best)
	}
	return fmt.Sprintf("%s (%s)", o.cell(o.Best), name)
}

func (o Outcome) judgedCell() string {
	if o.Held == notMeasured {
		return "-"
	}
	if !o.Compared {
		return fmt.Sprintf("%s [%s-%s]", shown(o.Judged.Median), shown(o.Judged.Min), shown(o.Judged.Max))
	}
	return fmt.Sprintf("%.2f [%.2f-%.2f]", o.Judged.Median, o.Judged.Min, o.Judged.Max)
}

func (o Outcome) heldCell() string {
	if o.WhyAbsent != "" {
		return o.Held + ": " + o.WhyAbsent
	}
	return o.Held
}

// shown keeps three digits that mean something.
func shown(v float64) string {
	switch {
	case v >= 100 || v <= -100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10 || v <= -10:
		return fmt.Sprintf("%.1f", v)
	default:
		return fmt.Sprintf("%.2f", v)
	}
}

func number(v float64) string {
	if v == 0 {
		return "-"
	}
	return fmt.Sprintf("%g", v)
}
