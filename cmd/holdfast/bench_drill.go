package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"holdfast/bench"
)

// drillCountMax keeps a typing error from starting a run of days.
const drillCountMax = 10000

// errDrillBroken is returned when a promise was not held in some run.
var errDrillBroken = errors.New("a promise was broken")

func (c *cli) benchDrillCommand() *cobra.Command {
	var count, clients int
	var target targetFlags
	cmd := &cobra.Command{
		Use:   "drill [NAME...]",
		Short: "Commit faults on real pairs under verified load and count what clients notice",
		Long: "Commit each fault COUNT times, every time on a Redis pair and a Holdfast of its own on loopback, with verified traffic from\n" +
			"many clients, and print a line for each drill. Without names all are made. Reports go to stderr as they come.\n" +
			"Exit 0 only if every promise held in every run. Needs redis-server; cleans up after itself.\n\n" +
			"With --target a deployment that runs already is drilled instead: it is given an order through its admin API under verified\n" +
			"load, and every acknowledged write is looked for afterwards. Nothing is killed.\n\nDrills: " + drillNames(", "),
		RunE: func(cmd *cobra.Command, names []string) error {
			if count < 1 || count > drillCountMax {
				return usagef("--count %d: want 1 to %d", count, drillCountMax)
			}
			if clients < 1 || clients > demoClientsMax {
				return usagef("--clients %d: want 1 to %d", clients, demoClientsMax)
			}
			if target.address != "" {
				return c.drillTarget(cmd, &target, names, clients, count)
			}
			chosen, err := chosenDrills(names)
			if err != nil {
				return err
			}
			binary, err := os.Executable()
			if err != nil {
				return fmt.Errorf("find own binary: %w", err)
			}
			return c.drill(cmd, chosen, bench.Options{Binary: binary, Clients: clients}, count)
		},
	}
	cmd.Flags().IntVar(&count, "count", 1, "runs of each drill")
	cmd.Flags().IntVar(&clients, "clients", 50, "busy clients")
	target.register(cmd)
	return cmd
}

func (c *cli) drill(cmd *cobra.Command, chosen []bench.Drill, o bench.Options, count int) error {
	var all []bench.Series
	var failed error
	for _, d := range chosen {
		s, err := bench.RunSeries(cmd.Context(), d, o, count, func(r *bench.Report) { fmt.Fprint(c.stderr, r) })
		all = append(all, s)
		if err != nil {
			failed = err
			break
		}
		if s.Held < s.Runs {
			failed = errDrillBroken
		}
	}
	return errors.Join(bench.WriteSeries(c.stdout, all), failed)
}

func chosenDrills(names []string) ([]bench.Drill, error) {
	if len(names) == 0 {
		return bench.Drills(), nil
	}
	var chosen []bench.Drill
	for _, name := range names {
		i := slices.IndexFunc(bench.Drills(), func(d bench.Drill) bool { return d.Name == name })
		if i < 0 {
			return nil, usagef("no drill %q; there are %s", name, drillNames(", "))
		}
		chosen = append(chosen, bench.Drills()[i])
	}
	return chosen, nil
}

func drillNames(separator string) string {
	var names []string
	for _, d := range bench.Drills() {
		names = append(names, d.Name)
	}
	return strings.Join(names, separator)
}
