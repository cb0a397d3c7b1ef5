package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"holdfast/bench/compare"
)

// compareRoundsMax keeps a typing error from starting a run of days.
const compareRoundsMax = 100

const compareHelp = `Commit the same faults, under the same load of real go-redis clients, on a pair that is reached directly, with
Sentinel-aware clients, through HAProxy and Sentinels (as they come, and tuned), and through Holdfast; and load each path
undisturbed. Everything is started on loopback, and nothing is left behind. One round takes about eight minutes, much of it the
default times of Sentinel.

Writes comparison.md, comparison.html (charts) and comparison.json (raw data) to --out, and the tables to stdout. Needs
redis-server and haproxy. Exit 0 when it ran: who is better is in the tables.

Faults: kill, restart, freeze, hang, switchover. Contenders: direct, 'sentinel client', 'haproxy default', 'haproxy tuned', holdfast.`

func (c *cli) benchCompareCommand() *cobra.Command {
	var o compare.Options
	var out string
	var steady bool
	cmd := &cobra.Command{
		Use:   "compare",
		Short: "Commit the same faults behind HAProxy and Sentinel, without a proxy, and behind Holdfast",
		Long:  compareHelp,
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.Rounds < 1 || o.Rounds > compareRoundsMax {
				return usagef("--rounds %d: want 1 to %d", o.Rounds, compareRoundsMax)
			}
			if o.Clients < 2 || o.Clients > demoClientsMax {
				return usagef("--clients %d: want 2 to %d", o.Clients, demoClientsMax)
			}
			if !steady {
				o.Steady = -1
			}
			binary, err := os.Executable()
			if err != nil {
				return fmt.Errorf("find own binary: %w", err)
			}
			o.Holdfast, o.Version, o.Progress = binary, buildVersion(), c.stderr
			record, err := compare.Run(cmd.Context(), o)
			if errors.Is(err, compare.ErrUnknownName) {
				return usagef("%w", err)
			}
			if err != nil {
				return err
			}
			if err := record.WriteFiles(out); err != nil {
				return err
			}
			return record.WriteText(c.stdout)
		},
	}
	cmd.Flags().IntVar(&o.Rounds, "rounds", 1, "how often each fault is committed on each contender")
	cmd.Flags().IntVar(&o.Clients, "clients", 40, "clients; half of them retry")
	cmd.Flags().StringSliceVar(&o.Faults, "faults", nil, "only these faults")
	cmd.Flags().StringSliceVar(&o.Contenders, "contenders", nil, "only these contenders")
	cmd.Flags().BoolVar(&steady, "steady", true, "also load each path undisturbed")
	cmd.Flags().Uint64Var(&o.Seed, "seed", 0, "of the requests (default: another each time)")
	cmd.Flags().StringVar(&out, "out", "bench-results", "directory of the report")
	return cmd
}
