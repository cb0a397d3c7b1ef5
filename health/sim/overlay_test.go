package sim

import (
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

var overlayFlag = flag.Bool("sim.overlay", false, "plant bugs in the core itself, each in a test binary of its own")

// overlays are bugs of the core, as one changed line each.
var overlays = []struct{ name, file, line, planted string }{
	{"promote without cutting first", "health/failover_plan.go",
		"	if t.state != StateDraining || p.draining != 0 || !p.cutDone || t.intending {",
		"	if t.state != StateDraining || p.draining != 0 || t.intending {"},
	{"promote without draining", "health/failover_plan.go", "		t.plan.draining |= bit(i)", "		t.plan.drained |= bit(i)"},
	{"promote before the intent is on disk", "health/failover_plan.go", "	t.intending = true", "	t.plan.intended = i"},
	{"a reborn master is the master", "health/judge.go",
		"	case p.runID != \"\" && i.RunID != p.runID:", "	case p.runID == i.RunID && i.RunID == \"\":"},
	{"priority before offset", "health/judge.go", "	if a.Applied() != b.Applied() {",
		"	if a.Applied() != b.Applied() && a.Priority != b.Priority {"},
	{"the witness is not heard", "health/decide.go",
		"	if w, alive := t.witness(); alive {", "	if w, alive := t.witness(); alive && t.held {"},
	{"a short silence ends before a replica could testify", "health/decide.go",
		"	if i, found := t.unheard(); found {", "	if i, found := t.unheard(); found && t.held {"},
	{"no hold while suspect", "health/state.go", "	return s == StateServing || s == StateReleasing",
		"	return s == StateServing || s == StateReleasing || s == StateSuspect || s == StateHolding"},
	{"the epoch of an intent is used again", "health/pool.go", "		p.epoch = max(rec.Epoch, rec.Intent.Epoch)", "		p.epoch = rec.Epoch"},
	{"what a master without a replica acknowledged is not declared", "health/plan.go", "	if p.apart {", "	if p.apart && t.held {"},
	{"unknown writes are sent again", "proxy/resp/cut.go", "		return k.policy == RetryAll", "		return k.policy >= RetryReads"},
	{"a cut does not know what ran", "proxy/resp/cut.go",
		"func (k *cutter) maybeRan(e *Entry) bool { return e.end <= k.sent && !e.is(markAgain) && !k.clean }",
		"func (k *cutter) maybeRan(e *Entry) bool { return e.end < k.sent && !e.is(markAgain) && !k.clean }"},
	{"a watch survives the move", "proxy/resp/cut.go",
		"	if k.watch && k.c.doom == AnswerNone {", "	if k.watch && k.c.doom == AnswerNone && k.clean {"},
	{"the database is forgotten", "proxy/resp/replay.go", "	if s.db != 0 {", "	if s.db > 100 {"},
	{"the subscription is forgotten", "proxy/resp/replay.go",
		"		if set := s.subs[kind]; len(set) > 0 {", "		if set := s.subs[kind]; len(set) > 1000 {"},
	{"transactions are not at risk", "proxy/resp/admit.go", "	c.fate[CmdExec] |= fateAcknowledge", "	c.fate[CmdExec] |= 0"},
}

// TestOverlaysAreFound builds the simulation with each bug and asks it to find it.
func TestOverlaysAreFound(t *testing.T) {
	if !*overlayFlag {
		t.Log("left to 'make sim': each bug takes a build of its own")
		return
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range overlays {
		t.Run(strings.ReplaceAll(o.name, " ", "-"), func(t *testing.T) {
			dir := t.TempDir()
			binary := filepath.Join(dir, "sim.test")
			overlay := writeOverlay(t, root, dir, o.file, o.line, o.planted)
			build := exec.CommandContext(t.Context(), "go", "test", "-c", "-o", binary, "-overlay", overlay, ".")
			if out, err := build.CombinedOutput(); err != nil {
				t.Fatalf("build: %v\n%s", err, out)
			}
			search := exec.CommandContext(t.Context(), binary, "-test.run", "^TestSimulation$", "-sim.time", "90s", "-sim.trace", "0")
			out, err := search.CombinedOutput()
			if err == nil {
				t.Errorf("not found:\n%s", out)
			}
			t.Logf("%s", out)
		})
	}
}

// writeOverlay makes a changed copy of a source file, and the file that tells the compiler of it.
func writeOverlay(t *testing.T, root, dir, file, line, planted string) string {
	t.Helper()
	source := filepath.Join(root, file)
	text, err := os.ReadFile(source)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(text), line+"\n"); n != 1 {
		t.Fatalf("%s has the line %d times, want once: %s", file, n, line)
	}
	changed := filepath.Join(dir, "changed.go")
	list, err := json.Marshal(map[string]map[string]string{"Replace": {source: changed}})
	if err != nil {
		t.Fatal(err)
	}
	overlay := filepath.Join(dir, "overlay.json")
	for name, content := range map[string][]byte{changed: []byte(strings.Replace(string(text), line+"\n", planted+"\n", 1)), overlay: list} {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return overlay
}
