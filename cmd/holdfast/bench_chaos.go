package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"holdfast/bench/chaos"
)

// errChaosBroken is returned when a cycle broke a promise.
var errChaosBroken = errors.New("a promise was broken")

const (
	// chaosCyclesMax keeps a typing error from starting a run of months.
	chaosCyclesMax = 100000
	// chaosJobsMax: more rigs than processors measure the scheduler.
	chaosJobsMax = 64
)

// chaosFlags are the flags that are no options of a run.
type chaosFlags struct {
	list    bool
	planted bool
	source  string
	json    string
}

func (c *cli) benchChaosCommand() *cobra.Command {
	var o chaos.Options
	var f chaosFlags
	cmd := &cobra.Command{
		Use:   "chaos",
		Short: "Break real servers in an order that a seed decides, and compare histories with what survives",
		Long: "Commit faults on real Redis servers behind a Holdfast of their own while clients of many kinds record what they were told;\n" +
			"after each fault heal everything and compare all histories with the final master. One line for each fault goes to stdout,\n" +
			"failures with everything known about them to stderr. Exit 0 only if every cycle held.\n\n" +
			"Needs redis-server; faults of the network, of disks and of single connections need root, ip, nft, nsenter and ss.\n" +
			"'--fault loopback' are those that need nothing. '--fault all,sigkill=1000' commits one fault more often.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.list {
				return chaos.WriteList(c.stdout)
			}
			if o.Cycles < 1 || o.Cycles > chaosCyclesMax {
				return usagef("--cycles %d: want 1 to %d", o.Cycles, chaosCyclesMax)
			}
			if o.Jobs < 1 || o.Jobs > chaosJobsMax {
				return usagef("--jobs %d: want 1 to %d", o.Jobs, chaosJobsMax)
			}
			if f.planted {
				return c.planted(cmd, o, f)
			}
			return c.chaos(cmd, o, f)
		},
	}
	flags := cmd.Flags()
	flags.Uint64Var(&o.Seed, "seed", 0, "decides the order and all chances (default: the time, printed)")
	flags.StringSliceVar(&o.Faults, "fault", nil, "which faults, each with =COUNT if it is not --cycles (default all)")
	flags.StringSliceVar(&o.Workloads, "workload", nil, "which kinds of client (default all)")
	flags.IntVar(&o.Cycles, "cycles", 1, "how often each fault is committed")
	flags.DurationVar(&o.Duration, "duration", 0, "no cycle begins after this time")
	flags.IntVar(&o.Jobs, "jobs", 1, "rigs at the same time; two for each pair of processors")
	flags.StringVar(&o.Cycle, "cycle", "", "run only this cycle again, as a failure of the same --seed names it")
	flags.IntVar(&o.Failures, "failures", 10, "so many failed cycles end the run; 0: never")
	flags.BoolVar(&f.list, "list", false, "show faults and workloads, and do nothing")
	flags.BoolVar(&f.planted, "planted", false, "build Holdfast with known bugs, one at a time, and see each caught; needs go and --source")
	flags.StringVar(&f.source, "source", ".", "the source tree for --planted")
	flags.StringVar(&f.json, "json", "", "write the whole report to this file")
	return cmd
}

func (c *cli) chaos(cmd *cobra.Command, o chaos.Options, f chaosFlags) error {
	var err error
	if o.Binary, err = os.Executable(); err != nil {
		return fmt.Errorf("find own binary: %w", err)
	}
	o.Progress = c.stderr
	report, err := chaos.Run(cmd.Context(), o)
	if chaos.IsOption(err) {
		return usagef("%v", err)
	}
	if report == nil {
		return err
	}
	if f.json != "" {
		err = errors.Join(err, writeReport(f.json, report))
	}
	err = errors.Join(err, report.WriteTable(c.stdout))
	if report.Failed > 0 {
		err = errors.Join(err, errChaosBroken)
	}
	return err
}

// planted shows that the suite can fail.
func (c *cli) planted(cmd *cobra.Command, o chaos.Options, f chaosFlags) error {
	root, err := filepath.Abs(f.source)
	if err != nil {
		return fmt.Errorf("find %s: %w", f.source, err)
	}
	err = chaos.Planted(cmd.Context(), root, o, c.stdout)
	if chaos.IsOption(err) {
		return usagef("%v", err)
	}
	return err
}

func writeReport(path string, report *chaos.Report) error {
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("create %s: %w", path, err)
	}
	if err := report.WriteJSON(file); err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", path, err), file.Close())
	}
	return file.Close()
}
