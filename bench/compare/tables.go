package compare

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// table is what every form of the report shows.
type table struct {
	title string
	text  string
	head  []string
	rows  [][]string
}

// tables are the faults that were committed, and the steady load.
func (r *Record) tables() (list []table) {
	for _, f := range faults() {
		t := table{title: f.name, text: f.what + ".", head: rowHead()}
		for _, c := range contenders() {
			if sum, ok := r.row(f.name, c.name); ok {
				t.rows = append(t.rows, sum.cells())
			}
		}
		if len(t.rows) > 0 {
			list = append(list, t)
		}
	}
	if len(r.Steady) > 0 {
		list = append(list, r.steadyTable())
	}
	return list
}

func (r *Record) steadyTable() table {
	t := table{
		title: "steady load", head: []string{"contender"},
		text: fmt.Sprintf("%.0f requests/s due on %d connections, 80 %% GET and 20 %% SET of 100 bytes, open loop; then a closed loop of "+
			"the same connections. Medians of %d blocks that took turns.", r.Steady[0].Rate, steadyConns, steadyBlocks),
	}
	for _, column := range steadyColumns() {
		t.head = append(t.head, column.name)
	}
	t.head = append(t.head, "errors")
	for _, c := range contenders() {
		cells, errors, found := []string{c.name}, int64(0), false
		for _, column := range steadyColumns() {
			v, ok := r.middle(c.name, column.of)
			found = ok
			cells = append(cells, column.show(v))
		}
		for _, b := range r.Steady {
			for _, n := range b.Errors {
				if b.Contender == c.name {
					errors += n
				}
			}
		}
		if found {
			t.rows = append(t.rows, append(cells, fmt.Sprint(errors)))
		}
	}
	return t
}

// WriteText prints the tables for a terminal.
func (r *Record) WriteText(w io.Writer) error {
	for _, t := range r.tables() {
		fmt.Fprintf(w, "%s: %s\n\n", t.title, t.text)
		columns := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		fmt.Fprintln(columns, strings.Join(t.head, "\t"))
		for _, cells := range t.rows {
			fmt.Fprintln(columns, strings.Join(cells, "\t"))
		}
		if err := columns.Flush(); err != nil {
			return fmt.Errorf("write table: %w", err)
		}
		fmt.Fprintln(w)
	}
	for _, note := range r.Notes {
		fmt.Fprintf(w, "Note: %s\n\n", note)
	}
	fmt.Fprintln(w, "Where somebody was better than Holdfast:")
	_, err := fmt.Fprintln(w, "  "+strings.Join(orNowhere(r.rivals()), "\n  "))
	return err
}

func orNowhere(list []string) []string {
	if len(list) == 0 {
		return []string{"Nowhere in this run."}
	}
	return list
}
