package proxy

import (
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"
)

// TestMain checks that nothing outlives the tests: no goroutine, no descriptor.
func TestMain(m *testing.M) {
	if os.Getenv(starvedChild) != "" {
		os.Exit(m.Run())
	}
	goroutines, fds := runtime.NumGoroutine(), openFiles()
	code := m.Run()
	if code == 0 {
		code = wantNothingLeft(goroutines, fds)
	}
	os.Exit(code)
}

func wantNothingLeft(goroutines, fds int) int {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > goroutines || openFiles() > fds+pollerFiles; <-tick.C {
		if time.Now().After(deadline) {
			fmt.Fprintf(os.Stderr, "left behind: %d goroutines (%d before), %d descriptors (%d before)\n",
				runtime.NumGoroutine(), goroutines, openFiles(), fds)
			return 1
		}
	}
	return 0
}

// pollerFiles is what the Go runtime opens once for itself: its epoll instance and its eventfd.
const pollerFiles = 2

func openFiles() int {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(entries)
}
