package configs

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/go-multierror"
)

// Fault is one thing that is wrong in a configuration, and what would be right.
type Fault struct {
	File    string
	Line    int    // 0: unknown, as for a key that is missing
	Key     string // as written for people: `pool[0] "cache" check.interval`
	Value   string // as the file has it, quoted; "" when the key is missing
	Wrong   string // "is too short"
	Allowed string // "10ms to 10s"; "" when Wrong says it all
}

// Error is the fault on one line.
func (f *Fault) Error() string {
	var b strings.Builder
	b.WriteString(f.File)
	if f.Line > 0 {
		fmt.Fprintf(&b, ":%d", f.Line)
	}
	if f.Key != "" {
		b.WriteString(": " + f.Key)
	}
	if f.Value != "" {
		b.WriteString(" = " + f.Value)
	}
	b.WriteString(": " + f.Wrong)
	if f.Allowed != "" {
		b.WriteString("; allowed: " + f.Allowed)
	}
	return b.String()
}

// faults collects what is wrong; keys are paths such as `pool[0].check.interval`.
//
// Invariant: at most one fault for each path, the first that was found, and none below a path that has one. What is
// derived from a bad value would only repeat it.
type faults struct {
	file  string
	lines lineBook
	pools []string // names, to show beside the index
	found []*Fault
	seen  map[string]bool
}

func newFaults(file string, lines lineBook) *faults {
	if file == "" {
		file = "config"
	}
	return &faults{file: file, lines: lines, seen: make(map[string]bool)}
}

// add notes a fault of the value at path. An empty value says that the key is missing.
func (fs *faults) add(path, value, wrong, allowed string) {
	if fs.covered(path) {
		return
	}
	fs.seen[path] = true
	fs.found = append(fs.found, &Fault{
		File: fs.file, Line: fs.lines.of(path), Key: path, Value: value, Wrong: oneLine(wrong), Allowed: allowed,
	})
}

// covered says whether path, or a table or list around it, has its fault already.
func (fs *faults) covered(path string) bool {
	for path != "" && !fs.seen[path] {
		path = around(path)
	}
	return path != ""
}

// err is every fault in the order of the file, or nil.
func (fs *faults) err() error {
	if len(fs.found) == 0 {
		return nil
	}
	all := &multierror.Error{ErrorFormat: eachOnItsLine}
	for _, f := range fs.sorted() {
		all = multierror.Append(all, f)
	}
	return all
}

// sorted is every fault in the order of the file, with the keys as people read them.
func (fs *faults) sorted() []*Fault {
	for _, f := range fs.found {
		f.Key = fs.shown(f.Key)
	}
	slices.SortStableFunc(fs.found, func(a, b *Fault) int { return a.Line - b.Line })
	return fs.found
}

// shown turns `pool[0].check.interval` into `pool[0] "cache" check.interval`.
func (fs *faults) shown(path string) string {
	for i, name := range fs.pools {
		head := poolPath(i)
		rest, ok := strings.CutPrefix(path, head)
		if !ok || name == "" || rest != "" && rest[0] != '.' {
			continue
		}
		return strings.TrimSpace(fmt.Sprintf("%s %q %s", head, name, strings.TrimPrefix(rest, ".")))
	}
	return path
}

func poolPath(i int) string { return index("pool", i) }

func eachOnItsLine(errs []error) string {
	lines := make([]string, len(errs))
	for i, err := range errs {
		lines[i] = err.Error()
	}
	return strings.Join(lines, "\n")
}

// oneLine keeps the promise of one line for each fault, whatever text a file or the system brought in.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// listed is the allowed words of a key.
func listed[T ~string](words []T) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = fmt.Sprintf("%q", string(w))
	}
	return strings.Join(quoted, ", ")
}
