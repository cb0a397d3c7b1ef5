package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"holdfast/admin"
)

// The exit codes of 'check', as Nagios, Icinga and monit define them.
const (
	nagiosOK       = 0
	nagiosWarning  = 1
	nagiosCritical = 2
	nagiosUnknown  = 3
)

const (
	// checkTimeMax stays below the 10 s after which a monitor kills its plug-ins and learns nothing.
	checkTimeMax = 9 * time.Second
	// checkLineMax is what monitors read of a plug-in's line; the rest would be cut in the middle of a number.
	checkLineMax = 4096
)

func (c *cli) checkCommand() *cobra.Command {
	var warn, crit []string
	cmd := &cobra.Command{
		Use:   "check [POOL]",
		Short: "Check for Nagios, Icinga and monit: one line, exit 0, 1, 2 or 3",
		Long: "Print one line with performance data and exit 0 OK, 1 WARNING, 2 CRITICAL or 3 UNKNOWN.\n\n" +
			"CRITICAL: no master is accepted, the gate refuses, a failover is stuck, or a replica lags by the critical limit.\n" +
			"WARNING:  clients are held, a backend is not healthy or not in sync, or a replica lags by the warning limit.\n" +
			"UNKNOWN:  no daemon answers, or the pool does not exist.",
		Args: func(cmd *cobra.Command, args []string) error {
			if err := cobra.MaximumNArgs(1)(cmd, args); err != nil {
				return c.unknown(err)
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			limits, err := parseLimits(warn, crit)
			if err != nil {
				return c.unknown(err)
			}
			return c.check(cmd.Context(), strings.Join(args, ""), limits)
		},
	}
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return c.unknown(err) })
	cmd.Flags().StringSliceVarP(&warn, "warning", "w", []string{"lag=1MB"}, "warning limit")
	cmd.Flags().StringSliceVarP(&crit, "critical", "c", []string{"lag=10MB"}, "critical limit")
	return cmd
}

// unknown prints the line of an inconclusive check. It goes to stdout, the only place where monitors look.
func (c *cli) unknown(err error) error {
	fmt.Fprintf(c.stdout, "HOLDFAST UNKNOWN - %s\n", checkText(err.Error()))
	return &exitError{code: nagiosUnknown, err: err, quiet: true}
}

func (c *cli) check(ctx context.Context, pool string, limits lagLimits) error {
	if c.link.timeout == 0 {
		c.link.timeout = checkTimeMax
	}
	cl, err := c.link.client()
	if err != nil {
		return c.unknown(err)
	}
	defer cl.close()
	st, _, err := cl.status(ctx)
	if err != nil {
		return c.unknown(err)
	}
	pools := st.Pools
	if pool != "" {
		if pools = named(pools, pool); len(pools) == 0 {
			return c.unknown(fmt.Errorf("pool %q: not found", pool))
		}
	}
	line, code := checkLine(pools, limits)
	fmt.Fprintln(c.stdout, line)
	if code == nagiosOK {
		return nil
	}
	return &exitError{code: code, err: errors.New(line), quiet: true}
}

func named(pools []admin.Pool, name string) []admin.Pool {
	for _, p := range pools {
		if p.Name == name {
			return []admin.Pool{p}
		}
	}
	return nil
}

// checkLine puts the pools into one line, the worst state in front, and keeps it within what monitors read.
func checkLine(pools []admin.Pool, limits lagLimits) (string, int) {
	if len(pools) == 0 {
		return "HOLDFAST UNKNOWN - the daemon has no pools", nagiosUnknown
	}
	worst := nagiosOK
	var texts, data []string
	for _, p := range pools {
		f := judgePool(p, limits)
		worst = max(worst, f.code)
		texts = append(texts, checkText(f.text))
		data = append(data, f.data...)
	}
	word := [...]string{"OK", "WARNING", "CRITICAL", "UNKNOWN"}[worst]
	line := "HOLDFAST " + word + " - " + strings.Join(texts, "; ")
	for i, d := range data {
		if i == 0 {
			d = "| " + d
		}
		if len(line)+1+len(d) > checkLineMax {
			break
		}
		line += " " + d
	}
	return line[:min(len(line), checkLineMax)], worst
}

// checkText keeps text from being taken for performance data.
func checkText(s string) string { return strings.ReplaceAll(printable(s), "|", "/") }
