package chaos

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// WriteList writes what there is to choose from.
func WriteList(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "FAULT\tIS\tPROMOTIONS\tADOPTIONS\tRIG")
	for _, f := range faults() {
		fmt.Fprintf(w, "%s\t%s\t%d to %d\t%d to %d\t%s\n", f.name, f.text, f.promotions[0],
			f.promotions[1], f.adoptions[0], f.adoptions[1], f.flavour)
	}
	fmt.Fprintln(w, "\nWORKLOAD\tIS\tCLIENTS")
	for _, l := range workloads() {
		fmt.Fprintf(w, "%s\t%s\t%d\n", l.name, l.text, l.clients)
	}
	return w.Flush()
}
