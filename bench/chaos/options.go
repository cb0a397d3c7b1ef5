package chaos

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Options say what is run.
type Options struct {
	Binary    string // the built holdfast
	Seed      uint64
	Faults    []string      // names, each with =COUNT if it is not Cycles; a name may be "all" or a group
	Workloads []string      // names; empty: all
	Cycles    int           // of each fault that does not say how many
	Duration  time.Duration // no cycle begins after it; 0: until all are done
	Jobs      int           // rigs at the same time
	Cycle     string        // only this one, as a failure names it
	Failures  int           // so many failed cycles end the run; 0: as many as there are
	Progress  io.Writer     // nil: nobody looks

	workloads []workload
	left      []string          // faults that "all" leaves out here, with the reason
	until     func(Result) bool // the first cycle of which it is true ends the run; nil: none does
}

// errOption is returned when an option names nothing.
type errOption struct{ error }

// IsOption reports whether a run did not begin because an option names nothing.
func IsOption(err error) bool {
	_, is := err.(errOption)
	return is
}

func optionf(format string, args ...any) error { return errOption{fmt.Errorf(format, args...)} }

// task is one cycle that is to be run.
type task struct {
	name  string
	fault fault
	seed  uint64
}

// chooseWorkloads resolves the names.
func (o *Options) chooseWorkloads() error {
	o.workloads = workloads()
	if len(o.Workloads) == 0 {
		return nil
	}
	for _, name := range o.Workloads {
		if !slices.ContainsFunc(o.workloads, func(w workload) bool { return w.name == name }) {
			return optionf("no workload %q", name)
		}
	}
	o.workloads = slices.DeleteFunc(o.workloads, func(w workload) bool { return !slices.Contains(o.Workloads, w.name) })
	return nil
}

// chooseFaults resolves names and groups to faults and how often each is committed. What is named later wins.
func (o *Options) chooseFaults() (map[string]int, error) {
	counts := make(map[string]int)
	names := o.Faults
	if len(names) == 0 {
		names = []string{"all"}
	}
	for _, item := range names {
		name, text, counted := strings.Cut(item, "=")
		count := max(1, o.Cycles)
		if counted {
			n, err := strconv.Atoi(text)
			if err != nil || n < 0 {
				return nil, optionf("--fault %s: want a number after =", item)
			}
			count = n
		}
		found := false
		for _, f := range faults() {
			named := f.name == name
			if !named && name != "all" && (name != "loopback" || f.privileged()) {
				continue
			}
			if found = true; f.group && count > 0 && !memoryGroups() {
				if named {
					return nil, optionf("--fault %s: %v", name, errNoMemoryGroup)
				}
				o.left = append(o.left, fmt.Sprintf("%s: %v", f.name, errNoMemoryGroup))
				continue
			}
			counts[f.name] = count
		}
		if !found {
			return nil, optionf("no fault %q; --list shows them", name)
		}
	}
	return counts, o.mayRun(counts)
}

// privileged faults need namespaces or mounts.
func (f fault) privileged() bool { return f.flavour.network || f.flavour.disk == "small" || f.root }

// mayRun refuses what this user cannot inject, instead of leaving it out in silence.
func (o *Options) mayRun(counts map[string]int) error {
	if os.Geteuid() == 0 {
		return nil
	}
	for _, f := range faults() {
		if counts[f.name] > 0 && f.privileged() {
			return optionf("fault %s needs root for network namespaces, mounts or connections that are killed; '--fault loopback' does not", f.name)
		}
	}
	return nil
}
