package main

import (
	"os"
	"testing"

	"holdfast/bench/testbed"
)

// TestMain clears what would leak in from the user's shell, and fails the package if something outlives the tests.
func TestMain(m *testing.M) {
	for _, name := range []string{serverEnv, tokenFileEnv} {
		_ = os.Unsetenv(name)
	}
	os.Exit(testbed.Run(m))
}
