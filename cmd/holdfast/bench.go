package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"holdfast/bench/peers"
)

// benchRoundsMax keeps a typing error from starting a run of days; the numbers settle long before.
const benchRoundsMax = 100

func (c *cli) benchCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure Holdfast against what it replaces",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return usagef("a benchmark is needed; see 'holdfast bench --help'")
		},
	}
	cmd.AddCommand(
		c.benchLoadCommand(), c.benchDrillCommand(), c.benchChaosCommand(), c.benchCompareCommand(), c.benchSoakCommand(),
		c.benchConformanceCommand(), c.benchDataPlaneCommand(), c.benchCopyProxyCommand(),
		c.benchHoldPipesCommand(), c.benchConformanceJobCommand(), c.benchRedisServerCommand(),
	)
	return cmd
}

func (c *cli) benchDataPlaneCommand() *cobra.Command {
	var o peers.Options
	cmd := &cobra.Command{
		Use:   "dataplane",
		Short: "Measure CPU, memory, system calls and latency beside HAProxy, nginx, io.Copy and no proxy",
		Long: "Start a real Redis server and each proxy on loopback, measure them in turn and print one table with ratios and their spread.\n" +
			"Takes about nine minutes. Needs redis-server; haproxy, nginx with its stream module and strace are used when installed.\n" +
			"Exit 0 when it ran: whether a row held is in the table.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.Rounds < 0 || o.Rounds > benchRoundsMax {
				return usagef("--rounds %d: want 0 to %d", o.Rounds, benchRoundsMax)
			}
			binary, err := os.Executable()
			if err != nil {
				return fmt.Errorf("find own binary: %w", err)
			}
			o.Holdfast, o.CopyProxy = binary, []string{binary, "bench", "copy-proxy"}
			o.HoldPipes = []string{peers.OwnProgram, "bench", "hold-pipes"}
			o.Table, o.Progress = c.stdout, c.stderr
			err = peers.Run(cmd.Context(), o)
			if errors.Is(err, peers.ErrUnknownRow) {
				return usagef("--rows: %v", err)
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&o.Quick, "quick", false, "less than two minutes: fewer, shorter blocks and fewer idle connections")
	cmd.Flags().IntVar(&o.Rounds, "rounds", 0, "rounds; more narrow the spread (default 13, every third with all rows; with --quick 3)")
	cmd.Flags().StringSliceVar(&o.Rows, "rows", nil, "only rows whose name begins with one of these, for example small,1m-get")
	cmd.Flags().StringVar(&o.Out, "out", "bench-results", "directory for the raw samples")
	return cmd
}

// benchCopyProxyCommand runs the control of the benchmark, which needs a process of its own.
func (c *cli) benchCopyProxyCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "copy-proxy LISTEN BACKEND",
		Hidden: true,
		Args:   cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return peers.CopyProxy(cmd.Context(), args[0], args[1])
		},
	}
}

// benchHoldPipesCommand leaves the proxy of an ordinary user without pipes. It runs for that user, and the bench for another.
func (c *cli) benchHoldPipesCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "hold-pipes",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return peers.HoldPipes(cmd.Context(), c.stdout)
		},
	}
}
