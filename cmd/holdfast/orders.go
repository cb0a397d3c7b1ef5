package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"holdfast/admin"
)

func (c *cli) switchoverCommand() *cobra.Command {
	var output outputFlag
	var to string
	cmd := &cobra.Command{
		Use:   "switchover POOL",
		Short: "Hand the mastership to a replica, without an error or a lost write",
		Long: "Hand the mastership to a replica while the master lives. Clients are held until the replica has every write;\n" +
			"if it does not get there in time, everything stays as it was. Returns when the new master serves.\n" +
			"While an operator holds the pool it does not begin (exit 5): release it first.",
		Args: needs("POOL"),
		RunE: func(cmd *cobra.Command, args []string) error {
			body := map[string]string{}
			if to != "" {
				body["to"] = to
			}
			return c.orderReceipt(cmd.Context(), args[0], "switchover", body, output)
		},
	}
	cmd.Flags().StringVar(&to, "to", "", "name of the backend that becomes master (default the best one)")
	output.register(cmd)
	return cmd
}

func (c *cli) failoverCommand() *cobra.Command {
	var output outputFlag
	var order admin.FailoverOrder
	cmd := &cobra.Command{
		Use:   "failover POOL",
		Short: "Promote a replica without the help of the master",
		Long: "Promote a replica although the master is gone or does not answer. Where writes are known or feared to be lost,\n" +
			"the order is refused (exit 6) unless --accept-loss is given. Returns when the new master serves.",
		Args: needs("POOL"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.orderReceipt(cmd.Context(), args[0], "failover", order, output)
		},
	}
	cmd.Flags().StringVar(&order.To, "to", "", "name of the backend that becomes master (default the best one)")
	cmd.Flags().BoolVar(&order.AcceptLoss, "accept-loss", false, "promote even if acknowledged writes are lost by it")
	output.register(cmd)
	return cmd
}

func (c *cli) holdCommand() *cobra.Command {
	return c.gateCommand("hold", "Shut the gate: clients stay connected and wait",
		"Shut the gate of a pool. Clients stay connected and wait until 'release', or until the pool's hold.max_wait has passed,\n"+
			"from when on each request is answered with an error. Returns when the gate is shut.")
}

func (c *cli) releaseCommand() *cobra.Command {
	return c.gateCommand("release", "Take 'hold' back, so that clients go on",
		"Take 'hold' back. The gate opens if a master serves; otherwise it stays as it is and opens with the next master.\n"+
			"Returns when the event loops were told, and prints the gate as it is then.")
}

func (c *cli) gateCommand(verb, short, long string) *cobra.Command {
	var output outputFlag
	cmd := &cobra.Command{
		Use:   verb + " POOL",
		Short: short,
		Long:  long,
		Args:  needs("POOL"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var pool admin.Pool
			raw, err := c.order(cmd.Context(), args[0], verb, struct{}{}, &pool)
			if err != nil {
				return err
			}
			if output == outputJSON {
				return writeIndented(c.stdout, raw)
			}
			_, err = fmt.Fprintf(c.stdout, "%s: gate %s, %d of %s held\n", printable(pool.Name), printable(pool.Gate), pool.Held,
				count(pool.Clients, "client"))
			return err
		},
	}
	output.register(cmd)
	return cmd
}

// order tells the user on stderr what is being waited for, because an order may take as long as a drain.
func (c *cli) order(ctx context.Context, pool, verb string, body, answer any) ([]byte, error) {
	cl, err := c.link.client()
	if err != nil {
		return nil, err
	}
	defer cl.close()
	if isTerminal(c.stderr) {
		fmt.Fprintf(c.stderr, "%s of pool %s at %s ...\n", verb, pool, cl.server)
	}
	return cl.order(ctx, pool, verb, body, answer)
}

func (c *cli) orderReceipt(ctx context.Context, pool, verb string, body any, output outputFlag) error {
	var receipt admin.Receipt
	raw, err := c.order(ctx, pool, verb, body, &receipt)
	if err != nil {
		return err
	}
	if output == outputJSON {
		return writeIndented(c.stdout, raw)
	}
	return c.writeReceipt(pool, receipt)
}

// writeReceipt prints the whole receipt; 'status' has the short form.
func (c *cli) writeReceipt(pool string, r admin.Receipt) error {
	fmt.Fprintf(c.stdout, "%s: %s -> %s, epoch %d, %s\n", printable(pool), orDash(r.Old), orDash(r.New), r.Epoch, millis(r.PhasesMS.Total()))
	if phases := phasesText(r.PhasesMS); phases != "" {
		fmt.Fprintf(c.stdout, "  phases   %s\n", phases)
	}
	fmt.Fprintf(c.stdout, "  clients  %d, of these %d held\n", r.Clients, r.Held)
	fmt.Fprintf(c.stdout, "  cut      %s\n", cutText(r.Cut))
	_, err := fmt.Fprintf(c.stdout, "  lost     %s (offset %d seen, %d promoted)\n", lossText(r), r.OffsetSeen, r.OffsetPromoted)
	return err
}
