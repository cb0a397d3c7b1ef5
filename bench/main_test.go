package bench

import (
	"context"
	"fmt"
	"os"
	"testing"

	"holdfast/bench/testbed"
)

// TestMain checks that the tests leave neither a goroutine nor a child process behind.
func TestMain(m *testing.M) {
	if os.Getenv(naiveEnv) != "" && len(os.Args) == 4 {
		fmt.Fprintln(os.Stderr, runNaive(os.Args[3]))
		os.Exit(1)
	}
	os.Exit(testbed.Run(m))
}

// startLoad runs a load beside the test; the returned function ends it and may be called more than once.
func startLoad(t *testing.T, l *Load) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go runLoad(ctx, l, done) // stop waits for it
	stop = func() {
		cancel()
		<-done
	}
	t.Cleanup(stop)
	return stop
}

func runLoad(ctx context.Context, l *Load, done chan struct{}) {
	defer close(done)
	_ = l.Run(ctx)
}

// startPair starts servers that end with the test.
func startPair(t *testing.T, opts PairOptions) *Pair {
	t.Helper()
	p, err := StartPair(t.Context(), t.TempDir(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
