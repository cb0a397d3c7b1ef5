package conformance

import (
	"fmt"
	"os"
	"testing"

	"holdfast/bench/testbed"
)

// TestMain is also the program that runs in a namespace, for the test of that.
func TestMain(m *testing.M) {
	if os.Getenv(namespaceEnv) != "" {
		if err := insideNamespace(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(testbed.Run(m))
}
