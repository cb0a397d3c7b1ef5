package main

import (
	"flag"
	"fmt"
	"os"
	"runtime/pprof"
	"testing"
	"time"
)

// TestMain clears what would leak in from the user's shell, and fails the package if a goroutine outlives the tests.
func TestMain(m *testing.M) {
	for _, name := range []string{serverEnv, tokenFileEnv} {
		_ = os.Unsetenv(name)
	}
	before := pprof.Lookup("goroutine").Count()
	code := m.Run()
	if code == 0 && !fuzzing() && !settled(before) {
		fmt.Fprintln(os.Stderr, "goroutines leaked:")
		_ = pprof.Lookup("goroutine").WriteTo(os.Stderr, 1)
		code = 1
	}
	os.Exit(code)
}

// fuzzing is true when the go command looks for new inputs, for which it keeps goroutines of its own.
func fuzzing() bool { return flag.Lookup("test.fuzz").Value.String() != "" }

// settled waits until no more than want goroutines are left.
func settled(want int) bool {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(5 * time.Second)
	for pprof.Lookup("goroutine").Count() > want {
		select {
		case <-tick.C:
		case <-deadline:
			return false
		}
	}
	return true
}
