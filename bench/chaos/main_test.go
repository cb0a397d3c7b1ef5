package chaos

import (
	"context"
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
	if err := await(context.Background(), 3*time.Second, leftovers); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, "leak check:", err)
		code = 1
	}
	os.Exit(code)
}

func leftovers(context.Context) error {
	if n := runtime.NumGoroutine(); n > 2 {
		buf := make([]byte, 1<<16)
		return fmt.Errorf("%d goroutines are left:\n%s", n, buf[:runtime.Stack(buf, true)])
	}
	tasks, err := filepath.Glob("/proc/self/task/*/children")
	if err != nil {
		return err
	}
	for _, task := range tasks {
		data, err := os.ReadFile(task)
		if err != nil {
			continue // the thread ended meanwhile
		}
		if pids := strings.TrimSpace(string(data)); pids != "" {
			return fmt.Errorf("child processes are left: %s", pids)
		}
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
	out, err := exec.Command("go", "build", "-o", builtBinary, "../../cmd/holdfast").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build holdfast: %w\n%s", err, out)
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
