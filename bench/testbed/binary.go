package testbed

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// binaryEnv names a holdfast that is built already; make builds one for all packages.
const binaryEnv = "HOLDFAST_BIN"

// builtIn is the folder of the binary that build made, for Run to remove.
var builtIn string

var build = sync.OnceValues(func() (string, error) {
	if path := os.Getenv(binaryEnv); path != "" {
		return filepath.Abs(path)
	}
	dir, err := os.MkdirTemp("", "holdfast-bin-")
	if err != nil {
		return "", err
	}
	builtIn = dir
	path := filepath.Join(dir, "holdfast")
	if out, err := exec.Command("go", "build", "-o", path, "holdfast/cmd/holdfast").CombinedOutput(); err != nil {
		return "", fmt.Errorf("build holdfast: %w\n%s", err, out)
	}
	return path, nil
})

// Binary is the holdfast under test: the one HOLDFAST_BIN names, or one built from this tree, once in a test process.
func Binary(t testing.TB) string {
	t.Helper()
	path, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func removeBinary() error {
	if builtIn == "" {
		return nil
	}
	return os.RemoveAll(builtIn)
}
