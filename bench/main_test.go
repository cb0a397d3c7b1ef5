package bench

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
	if os.Getenv(naiveEnv) != "" && len(os.Args) == 4 {
		fmt.Fprintln(os.Stderr, runNaive(os.Args[3]))
		os.Exit(1)
	}
	code := m.Run()
	if built := builtBinary; built != "" {
		_ = os.RemoveAll(filepath.Dir(built))
	}
	if err := await(context.Background(), 3*time.Second, 20*time.Millisecond, leftovers); err != nil && code == 0 {
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
	out, err := exec.Command("go", "build", "-o", builtBinary, "../cmd/holdfast").CombinedOutput()
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

// startLoad runs a load beside the test; the returned function ends it and may be called more than once.
func startLoad(t *testing.T, l *Load) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go runLoad(ctx, l, done) // stop waits for it
	stop = func() {
		cancel()
		<-done
	}
	t.Cleanup(stop)
	return stop
}

func runLoad(ctx context.Context, l *Load, done chan struct{}) {
	defer close(done)
	_ = l.Run(ctx)
}

// startPair starts servers that end with the test.
func startPair(t *testing.T, opts PairOptions) *Pair {
	t.Helper()
	p, err := StartPair(t.Context(), t.TempDir(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
