package sim

import (
	"fmt"
	"os"
	"runtime"
	"testing"
)

// TestMain checks that no life goes on behind its test: there is nothing in a life that could, and it shall stay so.
func TestMain(m *testing.M) {
	before := runtime.NumGoroutine()
	code := m.Run()
	if after := runtime.NumGoroutine(); after > before {
		stacks := make([]byte, 1<<20)
		fmt.Fprintf(os.Stderr, "%d goroutines are left:\n%s\n", after-before, stacks[:runtime.Stack(stacks, true)])
		code = 1
	}
	os.Exit(code)
}
