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

// wantNothingLeft collects garbage while it waits: io.Copy between two connections of a test keeps its pipe in a pool until then.
func wantNothingLeft(goroutines, fds int) int {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	runtime.GC()
	for deadline := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > goroutines || openFiles() > fds+pollerFiles; <-tick.C {
		if time.Now().After(deadline) {
			fmt.Fprintf(os.Stderr, "left behind: %d goroutines (%d before), %d descriptors (%d before): %v\n",
				runtime.NumGoroutine(), goroutines, openFiles(), fds, fileNames())
			return 1
		}
		runtime.GC()
	}
	return 0
}

// pollerFiles is what the Go runtime opens once for itself: its epoll instance and its eventfd.
const pollerFiles = 2

func openFiles() int { return len(fileNames()) }

func fileNames() []string {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return nil
	}
	names := make([]string, 0, len(entries))
	for _, entry := range entries {
		name, _ := os.Readlink("/proc/self/fd/" + entry.Name()) // The folder's own descriptor is gone by now.
		names = append(names, entry.Name()+" "+name)
	}
	return names
}
