package compare

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestMain checks that the tests leave neither a goroutine nor a child process behind.
func TestMain(m *testing.M) {
	code := m.Run()
	if built := builtBinary; built != "" {
		_ = os.RemoveAll(filepath.Dir(built))
	}
	if err := settled(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, "leak check:", err)
		code = 1
	}
	os.Exit(code)
}

// settled waits for what is about to end: the library closes its connections beside its clients.
func settled() error {
	deadline := time.Now().Add(5 * time.Second)
	for {
		err := leftovers()
		if err == nil || time.Now().After(deadline) {
			return err
		}
		if err := pause(context.Background(), 20*time.Millisecond); err != nil {
			return err
		}
	}
}

func leftovers() error {
	lists, err := filepath.Glob("/proc/self/task/*/children")
	if err != nil {
		return err
	}
	for _, list := range lists {
		if data, err := os.ReadFile(list); err == nil && strings.TrimSpace(string(data)) != "" {
			return fmt.Errorf("child processes are left: %s", data)
		}
	}
	if n := runtime.NumGoroutine(); n > 2 {
		buf := make([]byte, 1<<16)
		return fmt.Errorf("%d goroutines are left:\n%s", n, buf[:runtime.Stack(buf, true)])
	}
	return nil
}

// builtBinary is set by binary's one build, for TestMain to remove.
var builtBinary string

var build = sync.OnceValues(func() (string, error) {
	if path := os.Getenv("HOLDFAST_BIN"); path != "" {
		return filepath.Abs(path)
	}
	dir, err := os.MkdirTemp("", "holdfast-bin-")
	if err != nil {
		return "", err
	}
	builtBinary = filepath.Join(dir, "holdfast")
	if out, err := exec.Command("go", "build", "-o", builtBinary, "../../cmd/holdfast").CombinedOutput(); err != nil {
		return "", errors.Join(fmt.Errorf("build holdfast: %s", out), err)
	}
	return builtBinary, nil
})

// binary is the holdfast under test: the one HOLDFAST_BIN names, or one built from this tree.
func binary(t *testing.T) string {
	t.Helper()
	path, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return path
}
