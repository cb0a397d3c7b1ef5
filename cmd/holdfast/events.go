package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"holdfast/admin"
)

// followInterval is how often 'events -f' asks: a reader cannot tell it from at once.
const followInterval = 250 * time.Millisecond

func (c *cli) eventsCommand() *cobra.Command {
	var output outputFlag
	var follow bool
	cmd := &cobra.Command{
		Use:   "events",
		Short: "Show what happened: state changes, verdicts, failovers",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cl, err := c.link.client()
			if err != nil {
				return err
			}
			defer cl.close()
			tail := &eventTail{client: cl}
			events, err := tail.next(cmd.Context())
			if err == nil {
				err = c.writeEvents(events, output)
			}
			if err != nil || !follow {
				return err
			}
			return c.followEvents(cmd.Context(), tail, output)
		},
	}
	output.register(cmd)
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "go on with new events until interrupted")
	return cmd
}

// followEvents outlives the daemon: it says once that nobody answers and goes on with the events of the next one.
func (c *cli) followEvents(ctx context.Context, tail *eventTail, output outputFlag) error {
	tick := time.NewTicker(followInterval)
	defer tick.Stop()
	silent := false
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
		events, err := tail.next(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil && !silent {
			fmt.Fprintf(c.stderr, "holdfast: %v\n", err)
		}
		silent = err != nil
		if err := c.writeEvents(events, output); err != nil {
			return err
		}
	}
}

// eventTail remembers where the reader is. Sequence numbers begin again with the daemon, so it asks for the last event it knows too:
// a daemon that does not have it is another one, and all of its events are news.
type eventTail struct {
	client *client
	last   admin.Event // zero: none seen
}

func (t *eventTail) next(ctx context.Context) ([]admin.Event, error) {
	after := t.last.Seq
	if after > 0 {
		after--
	}
	events, err := t.client.events(ctx, after)
	if err != nil {
		return nil, err
	}
	if t.last.Seq > 0 {
		if len(events) > 0 && events[0].Seq == t.last.Seq && events[0].At.Equal(t.last.At) {
			events = events[1:]
		} else if events, err = t.client.events(ctx, 0); err != nil {
			return nil, err
		}
	}
	if len(events) > 0 {
		t.last = events[len(events)-1]
	}
	return events, nil
}

func (c *cli) writeEvents(events []admin.Event, output outputFlag) error {
	for _, e := range events {
		line, err := eventLine(e, output)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintln(c.stdout, line); err != nil {
			return fmt.Errorf("write events: %w", err)
		}
	}
	return nil
}

func eventLine(e admin.Event, output outputFlag) (string, error) {
	if output == outputJSON {
		data, err := json.Marshal(e)
		return string(data), err
	}
	subject := e.Pool
	if e.Subject != "" {
		subject += "/" + e.Subject
	}
	return fmt.Sprintf("%s %-8s %s %s epoch %d: %s", e.At.Local().Format("2006-01-02 15:04:05.000"), printable(e.Severity),
		printable(subject), printable(e.Type), e.Epoch, printable(e.Text)), nil
}
