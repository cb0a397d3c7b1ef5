package health

import (
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"
)

// TestMain fails when a test leaves a goroutine behind.
func TestMain(m *testing.M) {
	before := runtime.NumGoroutine()
	code := m.Run()
	if leaked := leaks(before); leaked != "" && code == 0 {
		fmt.Fprintln(os.Stderr, leaked)
		code = 1
	}
	os.Exit(code)
}

// leaks waits a little for goroutines that are ending, and shows those that are not.
func leaks(before int) string {
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for range 200 {
		if runtime.NumGoroutine() <= before {
			return ""
		}
		<-ticker.C
	}
	stacks := make([]byte, 1<<16)
	return "goroutines are left:\n" + string(stacks[:runtime.Stack(stacks, true)])
}
