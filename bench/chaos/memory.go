package chaos

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// memoryGroup is a control group with a memory limit of its own. Processes that are put into it keep what they have, so only what
// they take from then on counts.
type memoryGroup struct {
	dir    string
	limit  string // the file that holds the limit
	events string // the file that counts kills
}

// errNoMemoryGroup is returned when no control group with a memory limit can be made here.
var errNoMemoryGroup = errors.New("no memory control group can be made here")

// newMemoryGroup makes one with a limit in bytes. Its name carries the number of this process, for sweep.
func newMemoryGroup(name string, limit int) (*memoryGroup, error) {
	name = fmt.Sprintf("%s%d-%s", dirPrefix, os.Getpid(), name)
	for _, g := range []memoryGroup{
		{dir: "/sys/fs/cgroup/memory", limit: "memory.limit_in_bytes", events: "memory.oom_control"},
		{dir: "/sys/fs/cgroup", limit: "memory.max", events: "memory.events"},
	} {
		g.dir = filepath.Join(g.dir, name)
		if os.Mkdir(g.dir, 0o700) != nil {
			continue
		}
		err := os.WriteFile(filepath.Join(g.dir, g.limit), []byte(strconv.Itoa(limit)), 0o600)
		if err == nil {
			return &g, nil
		}
		_ = os.Remove(g.dir) // a group without that file has no memory controller
	}
	return nil, errNoMemoryGroup
}

// memoryGroups reports whether one can be made here.
func memoryGroups() bool {
	g, err := newMemoryGroup("trial", 1<<30)
	return err == nil && g.close() == nil
}

func (g *memoryGroup) add(pid int) error {
	if err := os.WriteFile(filepath.Join(g.dir, "cgroup.procs"), []byte(strconv.Itoa(pid)), 0o600); err != nil {
		return fmt.Errorf("put process %d under a memory limit: %w", pid, err)
	}
	return nil
}

// kills is how many processes the kernel has killed here for want of memory.
func (g *memoryGroup) kills() (int, error) {
	data, err := os.ReadFile(filepath.Join(g.dir, g.events))
	if err != nil {
		return 0, fmt.Errorf("count kills: %w", err)
	}
	for line := range strings.Lines(string(data)) {
		if text, found := strings.CutPrefix(line, "oom_kill "); found {
			return strconv.Atoi(strings.TrimSpace(text))
		}
	}
	return 0, fmt.Errorf("count kills: %s has no oom_kill", g.events)
}

// close removes the group, which must be empty.
func (g *memoryGroup) close() error {
	if err := os.Remove(g.dir); err != nil {
		return fmt.Errorf("remove memory group: %w", err)
	}
	return nil
}

// limitAddressSpace lets a process have no more address space than it has, and leaves no core file of what follows.
func limitAddressSpace(pid int) error {
	data, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "statm"))
	if err != nil {
		return fmt.Errorf("read address space of %d: %w", pid, err)
	}
	pages, err := strconv.ParseUint(strings.Fields(string(data))[0], 10, 64)
	if err != nil {
		return fmt.Errorf("read address space of %d: %w", pid, err)
	}
	size := pages * uint64(os.Getpagesize())
	err = errors.Join(unix.Prlimit(pid, unix.RLIMIT_CORE, &unix.Rlimit{}, nil),
		unix.Prlimit(pid, unix.RLIMIT_AS, &unix.Rlimit{Cur: size, Max: size}, nil))
	if err != nil {
		return fmt.Errorf("limit address space of %d: %w", pid, err)
	}
	return nil
}
