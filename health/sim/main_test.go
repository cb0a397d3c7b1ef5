package sim

import (
	"os"
	"testing"

	"holdfast/bench/testbed"
)

// TestMain checks that the tests leave neither a goroutine nor a child process behind.
func TestMain(m *testing.M) { os.Exit(testbed.Run(m)) }
