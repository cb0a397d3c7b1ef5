package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"holdfast/configs"
	"holdfast/proxy/resp"
)

func (c *cli) configCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Work with configuration files",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return usagef("a command is needed; 'holdfast config --help' lists them")
		},
	}
	cmd.AddCommand(&cobra.Command{
		Use:   "check FILE",
		Short: "Print every fault of a configuration file; exit 3 if there is one",
		Args:  needs("FILE"),
		RunE:  func(_ *cobra.Command, args []string) error { return c.checkConfig(args[0]) },
	})
	return cmd
}

// loadConfig is what 'run' and 'config check' share, so that one never accepts what the other refuses.
func loadConfig(path string) (configs.Config, error) { return configs.LoadWith(path, unknownCommands) }

func unknownCommands(deny []string) []string {
	_, unknown := resp.NewCare(deny)
	return unknown
}

// checkConfig prints faults as data: they are what the user asked for.
func (c *cli) checkConfig(path string) error {
	cfg, err := loadConfig(path)
	if err != nil {
		fmt.Fprintln(c.stdout, err)
		return &exitError{code: exitConfig, err: errors.New("faulty configuration"), quiet: true}
	}
	for _, warning := range cfg.Warnings() {
		fmt.Fprintf(c.stderr, "warning: %v\n", warning)
	}
	fmt.Fprintf(c.stdout, "%s: ok, %s\n", path, count(len(cfg.Pools), "pool"))
	return nil
}
