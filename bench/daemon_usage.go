package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Usage is what the daemon's process holds.
type Usage struct {
	Descriptors int
	ResidentKB  int
}

// Usage asks the kernel.
func (d *Daemon) Usage() (u Usage, err error) {
	dir := filepath.Join("/proc", strconv.Itoa(d.proc.cmd.Process.Pid))
	files, err := os.ReadDir(filepath.Join(dir, "fd"))
	if err != nil {
		return u, fmt.Errorf("count descriptors of %s: %w", d.Name, err)
	}
	u.Descriptors = len(files)
	status, err := os.ReadFile(filepath.Join(dir, "status"))
	if err != nil {
		return u, fmt.Errorf("read memory of %s: %w", d.Name, err)
	}
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	if _, err := fmt.Sscanf(rest, "%d kB", &u.ResidentKB); err != nil {
		return u, fmt.Errorf("read memory of %s: %w", d.Name, err)
	}
	return u, nil
}
