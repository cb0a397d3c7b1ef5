package chaos

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// dirPrefix begins the name of a rig's directory; the number of the process that made it follows.
const dirPrefix = "holdfast-chaos-"

// makeDir makes a rig's directory.
func makeDir() (string, error) {
	dir, err := os.MkdirTemp("", dirPrefix+strconv.Itoa(os.Getpid())+"-")
	if err != nil {
		return "", fmt.Errorf("make directory: %w", err)
	}
	return dir, nil
}

// sweep removes what runs that were killed have left: their directories, and file systems mounted there. Their processes died
// with them, and so did their namespaces.
func sweep(context.Context) error {
	dirs, err := filepath.Glob(filepath.Join(os.TempDir(), dirPrefix+"*"))
	if err != nil {
		return fmt.Errorf("look for leftovers: %w", err)
	}
	var errs []error
	for _, dir := range dirs {
		if !leftover(dir) {
			continue // alive, or not ours
		}
		mounts, _ := filepath.Glob(filepath.Join(dir, "disk-*"))
		for _, m := range mounts {
			_ = unix.Unmount(m, unix.MNT_DETACH) // it may never have been mounted
		}
		errs = append(errs, os.RemoveAll(dir))
	}
	return errors.Join(append(errs, sweepGroups())...)
}

// sweepGroups removes the memory groups of runs that were killed; they are empty, because processes die with their run.
func sweepGroups() error {
	var errs []error
	for _, root := range []string{"/sys/fs/cgroup/memory", "/sys/fs/cgroup"} {
		groups, err := filepath.Glob(filepath.Join(root, dirPrefix+"*"))
		if err != nil {
			return fmt.Errorf("look for leftovers: %w", err)
		}
		for _, dir := range groups {
			if leftover(dir) {
				errs = append(errs, os.Remove(dir))
			}
		}
	}
	return errors.Join(errs...)
}

// leftover reports whether the process that made something below its own number is gone.
func leftover(path string) bool {
	text, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(path), dirPrefix), "-")
	pid, err := strconv.Atoi(text)
	return err == nil && syscall.Kill(pid, 0) == syscall.ESRCH
}
