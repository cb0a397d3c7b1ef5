package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"holdfast/bench/conformance"
)

// conformanceForMax keeps a typing error from starting a run of days.
const conformanceForMax = 24 * time.Hour

func (c *cli) benchConformanceCommand() *cobra.Command {
	o := conformance.Options{Table: c.stdout, Progress: c.stderr}
	var modes []string
	cmd := &cobra.Command{
		Use:   "conformance [SUITE...]",
		Short: "Run the test suites of client libraries directly, through Holdfast, and with failovers underneath",
		Long: "Fetch each suite into a temporary directory and run it against a fresh redis-server: directly, through Holdfast, through\n" +
			"Holdfast while the master is killed again and again, and through Holdfast with the commands denied that are denied by default.\n" +
			"Prints a table; --out gets JSON and the logs. Without names all are run,\n" +
			"which takes half an hour. 'make conformance' installs what is needed. Linux network namespaces are needed.\n" +
			"Exit 0 only if nothing differs from the direct run but by documented errors.\n\nSuites: " +
			strings.Join(conformance.SuiteNames(), ", "),
		RunE: func(cmd *cobra.Command, names []string) (err error) {
			if o.For < time.Second || o.For > conformanceForMax {
				return usagef("--for %s: want 1s to %s", o.For, conformanceForMax)
			}
			if o.Every < 100*time.Millisecond {
				return usagef("--every %s: want at least 100ms", o.Every)
			}
			for _, text := range modes {
				mode, err := conformance.ParseMode(text)
				if err != nil {
					return usagef("--modes: %v", err)
				}
				o.Modes = append(o.Modes, mode)
			}
			o.Suites = names
			if o.Binary, err = os.Executable(); err != nil {
				return fmt.Errorf("find own binary: %w", err)
			}
			err = conformance.Run(cmd.Context(), o)
			if errors.Is(err, conformance.ErrUnknownSuite) {
				return usagef("%v", err)
			}
			return err
		},
	}
	cmd.Flags().StringSliceVar(&modes, "modes", nil,
		"direct, through, failover, guarded; default all, and only beside direct they show what differs")
	cmd.Flags().DurationVar(&o.For, "for", time.Minute,
		"how long each suite is run under failovers; programs run a quarter of a minute in the other modes, if that is less")
	cmd.Flags().DurationVar(&o.Every, "every", 2*time.Second, "between two deaths of the master")
	cmd.Flags().StringVar(&o.Out, "out", "bench-results/conformance", "directory for the JSON and the logs")
	return cmd
}

// benchConformanceJobCommand is one suite in one mode, in a process of its own because that has its own network.
func (c *cli) benchConformanceJobCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "conformance-job FILE",
		Hidden: true,
		Args:   cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return conformance.RunJob(cmd.Context(), args[0])
		},
	}
}

// benchRedisServerCommand is what a suite finds under the name redis-server.
func (c *cli) benchRedisServerCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "redis-server -- [ARG...]",
		Hidden: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			return conformance.StandIn(cmd.Context(), args, os.Stdin, c.stdout)
		},
	}
}
