package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// From the first signal on the default takes over again, so that a second one ends a shutdown that hangs.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run executes one command line and returns its exit code.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	c := &cli{stdout: stdout, stderr: stderr}
	root := c.rootCommand()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	cmd, err := root.ExecuteContextC(ctx)
	if err != nil && !c.started {
		err = asUsage(cmd, err)
	}
	return report(stderr, err)
}

// cli is what all commands share: where they write, and which daemon they talk to.
type cli struct {
	stdout, stderr io.Writer
	link           linkFlags
	started        bool // the command line was understood; an error before that is the user's
}

func (c *cli) rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "holdfast",
		Short: "Failover proxy for Redis and Valkey: your connection stays open, nothing runs twice, losses are counted",
		Long: "Holdfast holds the connections of Redis clients while a dead master is replaced by its replica.\n\n" +
			"Start a daemon with 'holdfast run -c FILE'; the other commands talk to a running one.\n\n" + exitHelp,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE: func(*cobra.Command, []string) error {
			return usagef("a command is needed; 'holdfast --help' lists them")
		},
		PersistentPreRun: func(*cobra.Command, []string) { c.started = true },
	}
	c.link.register(root)
	root.AddCommand(
		c.daemonCommand(), c.configCommand(), c.statusCommand(), c.switchoverCommand(), c.failoverCommand(),
		c.holdCommand(), c.releaseCommand(), c.eventsCommand(), c.checkCommand(), c.versionCommand(), c.demoCommand(), c.benchCommand(),
	)
	return root
}

// needs accepts exactly one argument and calls it by its name when it is missing.
func needs(name string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		switch len(args) {
		case 0:
			return fmt.Errorf("%s is missing", name)
		case 1:
			return nil
		default:
			return fmt.Errorf("one %s is wanted, got %d", name, len(args))
		}
	}
}
