package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"holdfast/bench"
)

// soakDurationMax keeps a typing error from a run of weeks.
const soakDurationMax = 7 * 24 * time.Hour

func (c *cli) benchSoakCommand() *cobra.Command {
	o := bench.SoakOptions{}
	var file string
	cmd := &cobra.Command{
		Use:   "soak",
		Short: "Kill the master again and again under verified load and watch what Holdfast holds",
		Long: "Start a Redis pair and a Holdfast of its own on loopback, drive verified traffic, kill the master every so often and start it\n" +
			"again, and compare memory, descriptors, goroutines and pipes of Holdfast with what they were before. Progress on stderr.\n" +
			"Exit 0 only if all of it came back to the base line within 5 % and every promise held; below six minutes memory is judged\n" +
			"mildly, because the base line is taken before the buffers have grown. Needs redis-server; cleans up after itself.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if o.Clients < 1 || o.Clients > demoClientsMax {
				return usagef("--clients %d: want 1 to %d", o.Clients, demoClientsMax)
			}
			if o.Duration > soakDurationMax {
				return usagef("--duration %s: want at most %s", o.Duration, soakDurationMax)
			}
			if o.Binary, err = os.Executable(); err != nil {
				return fmt.Errorf("find own binary: %w", err)
			}
			o.Progress = c.stderr
			r, err := bench.Soak(cmd.Context(), o)
			if errors.Is(err, bench.ErrSoakTooShort) {
				return usagef("%v", err)
			}
			if err != nil {
				return err
			}
			return c.reportSoak(r, file)
		},
	}
	cmd.Flags().DurationVar(&o.Duration, "duration", 30*time.Minute, "how long")
	cmd.Flags().DurationVar(&o.Every, "failover-every", 10*time.Second, "time between two failovers, at least 4s")
	cmd.Flags().IntVar(&o.Clients, "clients", 50, "busy clients")
	cmd.Flags().DurationVar(&o.Think, "think", 40*time.Millisecond, "pause of a client between two operations; the data grows with each write")
	cmd.Flags().Uint64Var(&o.Seed, "seed", 0, "seed of the operations; 0: any")
	cmd.Flags().StringVar(&file, "json", "", "also write the figures of each failover to this file")
	return cmd
}

func (c *cli) reportSoak(r *bench.SoakResult, file string) error {
	errs := []error{r.WriteTable(c.stdout)}
	if file != "" {
		out, err := os.Create(file)
		if err != nil {
			return errors.Join(append(errs, fmt.Errorf("write figures: %w", err))...)
		}
		errs = append(errs, r.WriteJSON(out), out.Close())
	}
	if len(r.Broken()) > 0 {
		errs = append(errs, errDrillBroken)
	}
	return errors.Join(errs...)
}
