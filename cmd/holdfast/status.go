package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
)

// watchInterval is how often 'status -w' looks: fast enough to see a failover's states, slow enough to cost nothing.
const watchInterval = time.Second

// The values of -o.
const (
	outputTable = "table"
	outputJSON  = "json"
)

// outputFlag is the value of -o. It refuses all but the known ones while flags are parsed.
type outputFlag string

func (o *outputFlag) String() string { return string(*o) }
func (o *outputFlag) Type() string   { return "format" }

func (o *outputFlag) Set(text string) error {
	if text != outputTable && text != outputJSON {
		return fmt.Errorf("want %s or %s", outputTable, outputJSON)
	}
	*o = outputFlag(text)
	return nil
}

func (o *outputFlag) register(cmd *cobra.Command) {
	*o = outputTable
	cmd.Flags().VarP(o, "output", "o", "table, for people, or json, whose fields are stable")
}

func (c *cli) statusCommand() *cobra.Command {
	var output outputFlag
	var watch bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show pools, backends and the last failover",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cl, err := c.link.client()
			if err != nil {
				return err
			}
			defer cl.close()
			if watch {
				return c.watchStatus(cmd.Context(), cl, output)
			}
			return c.showStatus(cmd.Context(), cl, c.stdout, output)
		},
	}
	output.register(cmd)
	cmd.Flags().BoolVarP(&watch, "watch", "w", false, "show it again every second until interrupted; with -o json one line each")
	return cmd
}

func (c *cli) showStatus(ctx context.Context, cl *client, w io.Writer, output outputFlag) error {
	st, raw, err := cl.status(ctx)
	if err != nil {
		return err
	}
	if output == outputJSON {
		return writeIndented(w, raw)
	}
	table{now: time.Now(), width: terminalWidth(c.stdout), color: wantsColor(c.stdout)}.write(w, st)
	return nil
}

// writeIndented prints the daemon's JSON as it came, so that fields of a newer daemon are not lost.
func writeIndented(w io.Writer, raw []byte) error {
	var b bytes.Buffer
	if err := json.Indent(&b, bytes.TrimSpace(raw), "", "  "); err != nil {
		return fmt.Errorf("format answer: %w", err)
	}
	b.WriteByte('\n')
	_, err := b.WriteTo(w)
	return err
}

// watchStatus ends without an error when it is interrupted, and goes on when the daemon does not answer: a watcher wants to
// see it come back. Only a daemon that never answered is an error.
func (c *cli) watchStatus(ctx context.Context, cl *client, output outputFlag) error {
	tick := time.NewTicker(watchInterval)
	defer tick.Stop()
	answered := false
	for {
		var page bytes.Buffer
		err := c.watchOnce(ctx, cl, &page, output)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil && !answered {
			return err
		}
		answered = true
		if err != nil && output == outputJSON {
			fmt.Fprintf(c.stderr, "holdfast: %v\n", err)
		} else if err != nil {
			fmt.Fprintln(&page, wrap(err.Error(), "", terminalWidth(c.stdout)))
		}
		if _, err := page.WriteTo(c.stdout); err != nil {
			return fmt.Errorf("write status: %w", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// clearScreen moves the cursor home and erases what is below, which flickers less than erasing everything first.
const clearScreen = "\x1b[H\x1b[J"

func (c *cli) watchOnce(ctx context.Context, cl *client, page *bytes.Buffer, output outputFlag) error {
	if output == outputJSON {
		_, raw, err := cl.status(ctx)
		if err != nil {
			return err
		}
		if err := json.Compact(page, raw); err != nil {
			return fmt.Errorf("format answer: %w", err)
		}
		page.WriteByte('\n')
		return nil
	}
	if isTerminal(c.stdout) {
		page.WriteString(clearScreen)
	}
	fmt.Fprintf(page, "%s  %s\n\n", time.Now().Format(time.TimeOnly), cl.server)
	err := c.showStatus(ctx, cl, page, output)
	page.WriteByte('\n')
	return err
}
