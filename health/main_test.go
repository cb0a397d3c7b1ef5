package health

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestMain fails when a test leaves a goroutine of ours behind.
func TestMain(m *testing.M) {
	code := m.Run()
	if left := leaks(); left != "" && code == 0 {
		fmt.Fprintln(os.Stderr, "goroutines are left:\n"+left)
		code = 1
	}
	os.Exit(code)
}

// leaks waits a little for goroutines that are ending, and shows those that are not.
func leaks() string {
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	left := ""
	for range 200 {
		if left = ours(); left == "" {
			return ""
		}
		<-ticker.C
	}
	return left
}

// ours lists the goroutines that run code of this module, but for the one that asks.
func ours() string {
	stacks := make([]byte, 1<<20)
	var list []string
	for i, stack := range strings.Split(string(stacks[:runtime.Stack(stacks, true)]), "\n\n") {
		if i > 0 && strings.Contains(stack, "holdfast/") {
			list = append(list, stack)
		}
	}
	return strings.Join(list, "\n\n")
}
