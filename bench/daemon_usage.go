package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// clockTicks is USER_HZ, in which Linux counts processor time: 100 on every machine.
const clockTicks = 100

// Usage is what the daemon's process holds.
type Usage struct {
	Descriptors int
	ResidentKB  int
	CPU         time.Duration // used since it began
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
	stat, err := os.ReadFile(filepath.Join(dir, "stat"))
	if err != nil {
		return u, fmt.Errorf("read processor time of %s: %w", d.Name, err)
	}
	_, rest, _ = strings.Cut(string(stat), ") ") // the name before it may hold anything
	var user, system int
	fields := strings.Fields(rest)
	if _, err := fmt.Sscan(fields[11]+" "+fields[12], &user, &system); err != nil {
		return u, fmt.Errorf("read processor time of %s: %w", d.Name, err)
	}
	u.CPU = time.Duration(user+system) * time.Second / clockTicks
	return u, nil
}
