package testbed

import (
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// settleMax is how long what is about to end may take for it: a busy machine delays the last steps of a goroutine.
const settleMax = 5 * time.Second

// Run runs the tests of a package and returns the exit code of the process, which is a failure when something outlives them.
func Run(m *testing.M) int {
	before := len(goroutines())
	code := m.Run()
	if err := removeBinary(); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	if code != 0 || fuzzing() {
		return code
	}
	if err := settled(before); err != nil {
		fmt.Fprintln(os.Stderr, "leak check:", err)
		return 1
	}
	return 0
}

// fuzzing is true when the go command looks for new inputs, for which it keeps goroutines of its own.
func fuzzing() bool {
	f := flag.Lookup("test.fuzz")
	return f != nil && f.Value.String() != ""
}

// settled waits until no child process and no more than so many goroutines are left. Connections that Go's default client keeps
// for later are no leaks.
func settled(before int) error {
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(settleMax)
	for {
		err := errors.Join(childless(), quiet(before))
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-deadline:
			return err
		}
	}
}

func quiet(before int) error {
	if left := goroutines(); len(left) > before {
		return fmt.Errorf("%d goroutines are left, %d were there before:\n%s", len(left), before, strings.Join(left, "\n\n"))
	}
	return nil
}

// goroutines are the stacks of all goroutines but that of os/signal, which the runtime starts once and never ends.
func goroutines() []string {
	buf := make([]byte, 1<<20)
	stacks := strings.Split(strings.TrimSpace(string(buf[:runtime.Stack(buf, true)])), "\n\n")
	return slices.DeleteFunc(stacks, func(stack string) bool { return strings.Contains(stack, "os/signal.loop") })
}

func childless() error {
	lists, err := filepath.Glob("/proc/self/task/*/children")
	if err != nil {
		return err
	}
	for _, list := range lists {
		data, err := os.ReadFile(list)
		if err != nil {
			continue // the thread ended meanwhile
		}
		if pids := strings.TrimSpace(string(data)); pids != "" {
			return fmt.Errorf("child processes are left: %s", pids)
		}
	}
	return nil
}
