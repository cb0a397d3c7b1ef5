package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
)

// errProcFormat is returned when a file below /proc does not look as the kernel documents it.
var errProcFormat = errors.New("unknown format")

// Holdings is what a proxy holds at one moment. Private dirty memory is what it costs the machine: nobody shares it and the kernel
// cannot drop it. The heap is what the last garbage collection found to be in use.
type Holdings struct {
	PrivateDirty int64 `json:"private_dirty_bytes"`
	Resident     int64 `json:"resident_bytes"`
	Heap         int64 `json:"heap_bytes"`
	Descriptors  int64 `json:"descriptors"`
	Threads      int64 `json:"threads"`
	Goroutines   int64 `json:"goroutines"`
	Pipes        int64 `json:"pipes"`
	PipesInUse   int64 `json:"pipes_in_use"`
}

// heapSlack is what the bounded history of a pool (1000 events, 100 receipts) may still grow by after the warm-up.
const heapSlack = 256 << 10

// quantities name the parts of a Holdings, in the order of the table. The others are reported and not judged: pages that the kernel
// may drop, and threads that the Go runtime keeps once it needed them, say nothing about a leak.
var quantities = []struct {
	name   string
	of     func(*Holdings) *int64
	slack  int64 // in place of the share, where that is less
	bytes  bool
	judged bool
}{
	{"private dirty", func(u *Holdings) *int64 { return &u.PrivateDirty }, 0, true, true},
	{"resident", func(u *Holdings) *int64 { return &u.Resident }, 0, true, false},
	{"heap", func(u *Holdings) *int64 { return &u.Heap }, heapSlack, true, true},
	{"descriptors", func(u *Holdings) *int64 { return &u.Descriptors }, 0, false, true},
	{"threads", func(u *Holdings) *int64 { return &u.Threads }, 0, false, false},
	{"goroutines", func(u *Holdings) *int64 { return &u.Goroutines }, 0, false, true},
	{"pipes", func(u *Holdings) *int64 { return &u.Pipes }, 0, false, true},
	{"pipes in use", func(u *Holdings) *int64 { return &u.PipesInUse }, 0, false, true},
}

// usage reads everything about the daemon at once.
func (d *Daemon) usage(ctx context.Context) (Holdings, error) {
	r, err := d.Runtime(ctx)
	if err != nil {
		return Holdings{}, err
	}
	u := Holdings{Heap: r.HeapBytes, Goroutines: r.Goroutines, Pipes: r.Pipes, PipesInUse: r.PipesInUse}
	pid := d.proc.cmd.Process.Pid
	if u.PrivateDirty, err = procKiB(pid, "smaps_rollup", "Private_Dirty:"); err != nil {
		return Holdings{}, err
	}
	if u.Resident, err = procKiB(pid, "status", "VmRSS:"); err != nil {
		return Holdings{}, err
	}
	if u.Descriptors, err = entries(pid, "fd"); err != nil {
		return Holdings{}, err
	}
	u.Threads, err = entries(pid, "task")
	return u, err
}

// procKiB reads one line "KEY  N kB" of a file of process pid and returns bytes.
func procKiB(pid int, file, key string) (int64, error) {
	path := fmt.Sprintf("/proc/%d/%s", pid, file)
	data, err := os.ReadFile(path)
	if err != nil {
		return 0, fmt.Errorf("read memory of process %d: %w", pid, err)
	}
	for line := range bytes.Lines(data) {
		fields := bytes.Fields(line)
		if len(fields) != 3 || string(fields[0]) != key {
			continue
		}
		n, err := strconv.ParseInt(string(fields[1]), 10, 64)
		if err != nil {
			return 0, fmt.Errorf("read %s: %w", path, err)
		}
		return n << 10, nil
	}
	return 0, fmt.Errorf("read %s of %s: %w", key, path, errProcFormat)
}

// entries counts what a directory of process pid holds.
func entries(pid int, dir string) (int64, error) {
	found, err := os.ReadDir(fmt.Sprintf("/proc/%d/%s", pid, dir))
	if err != nil {
		return 0, fmt.Errorf("count %s of process %d: %w", dir, pid, err)
	}
	return int64(len(found)), nil
}

// median takes each quantity by itself: what a single reading catches in passing, such as an effect under way, is left out.
func median(readings []Holdings) Holdings {
	var m Holdings
	for _, q := range quantities {
		var values []int64
		for i := range readings {
			values = append(values, *q.of(&readings[i]))
		}
		slices.Sort(values)
		if len(values) > 0 {
			*q.of(&m) = values[len(values)/2]
		}
	}
	return m
}
