package conformance

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
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
	code := m.Run()
	if built := builtBinary; built != "" {
		_ = os.RemoveAll(filepath.Dir(built))
	}
	os.Exit(code)
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
