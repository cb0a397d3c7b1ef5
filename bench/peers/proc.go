package peers

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
)

// errProcFormat is returned when a file below /proc does not look as the kernel documents it.
var errProcFormat = errors.New("unknown format")

// cpuNanos is the time all threads of a process have spent on a processor. The kernel adds the work it does for the sockets
// of a thread to that thread, loopback included.
func cpuNanos(pid int) (int64, error) {
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil || len(tasks) == 0 {
		return 0, fmt.Errorf("list threads of process %d: %w", pid, errors.Join(err, os.ErrNotExist))
	}
	var sum int64
	for _, task := range tasks {
		data, err := os.ReadFile(task)
		if errors.Is(err, fs.ErrNotExist) {
			continue // the thread ended meanwhile; the proxies here keep theirs
		}
		if err != nil {
			return 0, fmt.Errorf("read schedstat of process %d: %w", pid, err)
		}
		ns, err := parseSchedstat(data)
		if err != nil {
			return 0, fmt.Errorf("read %s: %w", task, err)
		}
		sum += ns
	}
	return sum, nil
}

// parseSchedstat returns the first field, nanoseconds on a processor. Waiting time and the number of turns follow it.
func parseSchedstat(data []byte) (int64, error) {
	fields := bytes.Fields(data)
	if len(fields) != 3 {
		return 0, errProcFormat
	}
	ns, err := strconv.ParseInt(string(fields[0]), 10, 64)
	if err != nil || ns < 0 {
		return 0, errProcFormat
	}
	return ns, nil
}

// privateDirty is the memory only this process uses and the kernel could not drop: what it costs the machine.
func privateDirty(pid int) (int64, error) {
	path := fmt.Sprintf("/proc/%d/smaps_rollup", pid)
	data, err := os.ReadFile(path)
	if err != nil {
		return 0, fmt.Errorf("read memory of process %d: %w", pid, err)
	}
	n, err := parseSmaps(data, "Private_Dirty")
	if err != nil {
		return 0, fmt.Errorf("read %s: %w", path, err)
	}
	return n, nil
}

// parseSmaps returns one size of a smaps_rollup file in bytes.
func parseSmaps(data []byte, key string) (int64, error) {
	for line := range bytes.Lines(data) {
		fields := bytes.Fields(line)
		if len(fields) != 3 || string(fields[0]) != key+":" || string(fields[2]) != "kB" {
			continue
		}
		kb, err := strconv.ParseInt(string(fields[1]), 10, 64)
		if err != nil || kb < 0 || kb > 1<<50 {
			return 0, errProcFormat
		}
		return kb << 10, nil
	}
	return 0, errProcFormat
}

// openFiles counts the file descriptors of a process.
func openFiles(pid int) (int, error) {
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		return 0, fmt.Errorf("count descriptors of process %d: %w", pid, err)
	}
	return len(entries), nil
}

// machineTicks are the counters of /proc/stat over all processors, in clock ticks since the machine started.
type machineTicks struct{ All, Idle, Steal int64 }

func readMachineTicks() (machineTicks, error) {
	data, err := os.ReadFile("/proc/stat")
	if err != nil {
		return machineTicks{}, fmt.Errorf("read processor time of the machine: %w", err)
	}
	return parseMachineTicks(data)
}

// parseMachineTicks reads the line user nice system idle iowait irq softirq steal; guest time is within user time.
func parseMachineTicks(data []byte) (machineTicks, error) {
	line, _, _ := bytes.Cut(data, []byte("\n"))
	fields := bytes.Fields(line)
	if len(fields) < 9 || string(fields[0]) != "cpu" {
		return machineTicks{}, errProcFormat
	}
	var t machineTicks
	for i, field := range fields[1:9] {
		n, err := strconv.ParseInt(string(field), 10, 64)
		if err != nil {
			return machineTicks{}, errProcFormat
		}
		t.All += n
		switch i {
		case 3, 4:
			t.Idle += n
		case 7:
			t.Steal = n
		}
	}
	return t, nil
}
