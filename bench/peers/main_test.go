package peers

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"testing"

	"holdfast/bench/testbed"
)

// copyProxyArgument makes this test binary the io.Copy proxy, which needs a process of its own.
const copyProxyArgument = "copy-proxy"

// holdPipesArgument makes it the process that leaves its user no pipes.
const holdPipesArgument = "hold-pipes"

// TestMain checks that the tests leave no child process behind.
func TestMain(m *testing.M) {
	if len(os.Args) == 4 && os.Args[1] == copyProxyArgument {
		if err := CopyProxy(context.Background(), os.Args[2], os.Args[3]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	if len(os.Args) == 2 && os.Args[1] == holdPipesArgument {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt) // without one the runtime finds everybody asleep
		defer stop()
		if err := HoldPipes(ctx, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(testbed.Run(m))
}
