package chaos

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// plant is a bug that is put into Holdfast on purpose. A suite that does not find it would find nothing.
type plant struct {
	name, text string
	edits      []edit
	fault      string      // under which it shows
	cycles     int         // in so many it must be found
	catches    []Invariant // at least one of them must be broken
}

// edit replaces one piece of source; the old text must be there exactly once, or the bug would not be planted.
type edit struct{ file, old, new string }

// plants are the bugs that failover proxies are known to have.
func plants() []plant {
	return []plant{
		{
			name: "no-drain", text: "promotes before the replica has read what its master had sent", fault: "sigkill-drain", cycles: 3,
			catches: []Invariant{I5},
			edits: []edit{
				{"health/failover/drain.go", "	start := time.Now()\n	err := n.talk(",
					"	start := time.Now()\n	if limit > 0 {\n		return info, first, nil\n	}\n	err := n.talk("},
				{"health/result.go", "	t.heardFrom(r)\n", ""},
			},
		},
		{
			name: "retry-write", text: "sends writes of unknown outcome again", fault: "executed-unacked", cycles: 5, catches: []Invariant{I3},
			edits: []edit{{"proxy/resp/cut.go", "case WriteOnce, Conditional, Script, BlockWrite, ClassUnknown:\n\t\treturn k.policy == RetryAll",
				"case WriteOnce, Conditional, Script, BlockWrite, ClassUnknown:\n\t\treturn true"}},
		},
		{
			name: "forget-select", text: "forgets the database of a session", fault: "sigkill", cycles: 3, catches: []Invariant{I5, I12},
			edits: []edit{{"proxy/resp/replay.go", "if s.db != 0 {", "if false && s.db != 0 {"}},
		},
		{
			name: "role-alone", text: "takes whoever says that it is a master", fault: "reborn-unseen", cycles: 5,
			catches: []Invariant{I5, I8},
			edits: []edit{
				{"proxy/identity.go", `ok := bytes.Contains(frame, []byte("role:master\r\n")) && bytes`, `ok := true || bytes`},
				{"health/judge.go", `case p.runID != "" && i.RunID != p.runID:`, `case p.runID == i.RunID && i.RunID == "none":`},
				{"health/judge.go", `case i.Offset < p.offset:`, `case i.Offset < 0:`},
				{"health/judge.go", `case i.ReplID != p.lineage() && i.ReplID2 != ""`, `case i.ReplID == "none" && i.ReplID2 != ""`},
			},
		},
		{
			name: "zombie-reply", text: "delivers what a replaced master still answers", fault: "zombie", cycles: 5, catches: []Invariant{I7},
			edits: []edit{
				{"proxy/cut.go", "if s.epoch <= epoch && s.backend >= 0 {", "if s.epoch <= epoch && s.backend >= 0 && s.conv.Unanswered() == 0 {"},
				{"proxy/gate.go", "if s.epoch != v.seen.Epoch || s.has(refused) {", "if s.epoch != v.seen.Epoch && s.conv.Unanswered() == 0 {"},
			},
		},
	}
}

// ErrNotCaught is returned when a planted bug was not found.
var ErrNotCaught = errors.New("a planted bug was not caught")

// errSource is returned when a planted bug does not fit the source any more.
var errSource = errors.New("source does not have the text exactly once")

// Planted builds Holdfast with each bug in turn, from the source tree at root, and runs the cycles that must find it. A line for
// each goes to out.
func Planted(ctx context.Context, root string, o Options, out io.Writer) error {
	dir, err := makeDir()
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	var errs []error
	for _, p := range plants() {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		binary, err := p.build(ctx, root, dir)
		if err != nil {
			return err
		}
		errs = append(errs, p.hunt(ctx, binary, o, out))
	}
	return errors.Join(errs...)
}

// hunt runs cycles until the bug is found by an invariant that it must break.
func (p plant) hunt(ctx context.Context, binary string, o Options, out io.Writer) error {
	o.Binary, o.Faults, o.Cycles, o.Cycle, o.Failures, o.Jobs, o.Progress = binary, []string{p.fault}, p.cycles, "", 0, 1, nil
	var found []string
	o.until = func(r Result) bool {
		found = p.catch(r)
		return len(found) > 0
	}
	report, err := Run(ctx, o)
	switch {
	case report == nil:
		return fmt.Errorf("hunt %s: %w", p.name, err)
	case len(found) == 0:
		fmt.Fprintf(out, "%-14s NOT CAUGHT in %d cycles of %s\n", p.name, report.Cycles, p.fault)
		return fmt.Errorf("%w: %s (%s) in %d cycles of %s", ErrNotCaught, p.name, p.text, report.Cycles, p.fault)
	}
	fmt.Fprintf(out, "%-14s caught in cycle %d of %s: %s\n", p.name, report.Cycles, p.fault, strings.Join(found, "; "))
	return nil
}

// catch lists what the bug broke in a cycle, of what it must break.
func (p plant) catch(r Result) (found []string) {
	for _, v := range r.Verdicts {
		expected := slices.ContainsFunc(p.catches, func(i Invariant) bool { return i.String() == v.Invariant })
		if expected && v.Broken > 0 {
			found = append(found, fmt.Sprintf("%s: %s", v.Invariant, clip(v.Findings[0])))
		}
	}
	return found
}

// build compiles the daemon with the bug. The source is not touched: the compiler reads other files in the place of some.
func (p plant) build(ctx context.Context, root, dir string) (string, error) {
	changed := make(map[string]string)
	for _, e := range p.edits {
		if _, seen := changed[e.file]; !seen {
			data, err := os.ReadFile(filepath.Join(root, e.file))
			if err != nil {
				return "", fmt.Errorf("plant %s: %w", p.name, err)
			}
			changed[e.file] = string(data)
		}
		text, err := e.apply(changed[e.file])
		if err != nil {
			return "", fmt.Errorf("plant %s: %w", p.name, err)
		}
		changed[e.file] = text
	}
	overlay := struct{ Replace map[string]string }{make(map[string]string)}
	for file, text := range changed {
		path := filepath.Join(dir, p.name+"-"+filepath.Base(file))
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			return "", fmt.Errorf("plant %s: %w", p.name, err)
		}
		overlay.Replace[filepath.Join(root, file)] = path
	}
	data, err := json.Marshal(overlay)
	if err != nil {
		return "", fmt.Errorf("plant %s: %w", p.name, err)
	}
	list, binary := filepath.Join(dir, p.name+".json"), filepath.Join(dir, "holdfast-"+p.name)
	if err := os.WriteFile(list, data, 0o600); err != nil {
		return "", fmt.Errorf("plant %s: %w", p.name, err)
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-overlay", list, "-o", binary, "./cmd/holdfast")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build with %s: %w\n%s", p.name, err, out)
	}
	return binary, nil
}

// apply makes the edit in one file's text.
func (e edit) apply(text string) (string, error) {
	if n := strings.Count(text, e.old); n != 1 {
		return "", fmt.Errorf("%w: %s has %q %d times", errSource, e.file, e.old, n)
	}
	return strings.Replace(text, e.old, e.new, 1), nil
}
