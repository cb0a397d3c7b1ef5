package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"holdfast/bench"
)

// demoClientsMax keeps the demo within the file descriptors that an ordinary shell has: each client takes up to four, here,
// in the proxy and in the server.
const demoClientsMax = 200

func (c *cli) demoCommand() *cobra.Command {
	var clients int
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Start a real pair on loopback, break it under load and show what clients notice",
		Long: "Start a real Redis pair and a Holdfast daemon on loopback, drive verified traffic from many clients, kill the master,\n" +
			"freeze a master and hand the mastership over. Exit 0 only if every promise held. Needs redis-server; cleans up after itself.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if clients < 1 || clients > demoClientsMax {
				return usagef("--clients %d: want 1 to %d", clients, demoClientsMax)
			}
			binary, err := os.Executable()
			if err != nil {
				return fmt.Errorf("find own binary: %w", err)
			}
			return bench.Demo(cmd.Context(), bench.DemoOptions{Binary: binary, Out: c.stdout, Color: wantsColor(c.stdout), Clients: clients})
		},
	}
	cmd.Flags().IntVar(&clients, "clients", 50, "busy clients")
	return cmd
}
