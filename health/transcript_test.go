package health

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

var rewrite = flag.Bool("rewrite", false, "rewrite testdata/*.txt with what happens now")

// TestTranscripts plays the stories of testdata: blocks of commands, a line of dashes, and what the core then does.
func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no transcripts: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := play(t, string(text))
			if *rewrite {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if want := string(text); got != want {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

// play runs every block of a transcript and returns it with what happened.
func play(t *testing.T, text string) string {
	t.Helper()
	var out []string
	w := newWorld(1, 2, nil)
	for block := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n\n") {
		commands, _, _ := strings.Cut(block, "\n----")
		w.log = nil
		for line := range strings.Lines(commands) {
			line = strings.TrimSpace(line)
			if line == "" || strings.HasPrefix(line, "#") {
				continue
			}
			if words := strings.Fields(line); words[0] == "world" {
				w = storyWorld(words[1:])
			} else if err := w.command(words); err != nil {
				t.Fatalf("%s: %v", line, err)
			}
		}
		if len(w.faults) > 0 {
			t.Errorf("broken invariants: %v", w.faults)
		}
		out = append(out, commands+"\n----"+strings.Join(slices.Insert(w.story(), 0, ""), "\n"))
	}
	return strings.Join(out, "\n\n") + "\n"
}

// storyWorld makes a world from its size and mode.
func storyWorld(words []string) *world {
	n, err := strconv.Atoi(words[0])
	if err != nil {
		n = 2
	}
	return newWorld(1, n, func(s *Settings) {
		for _, word := range words[1:] {
			for _, m := range []Mode{Promote, Follow, Ordered, Off} {
				if word == m.String() {
					s.Mode = m
				}
			}
		}
	})
}

// story is the log without what happens all the time.
func (w *world) story() []string {
	return slices.DeleteFunc(slices.Clone(w.log), func(line string) bool {
		for _, noise := range []string{" probe ", " note ", " warm ", " compare node=", " persist "} {
			if strings.Contains(line, noise) {
				return true
			}
		}
		return false
	})
}

func (w *world) command(words []string) error {
	number := func(i int) int {
		if len(words) <= i {
			return noNode
		}
		n, err := strconv.Atoi(words[i])
		if err != nil {
			return noNode
		}
		return n
	}
	switch words[0] {
	case "pass":
		d, err := time.ParseDuration(words[1])
		if err != nil {
			return err
		}
		w.pass(d)
	case "kill":
		w.nodes[number(1)].snapshot, w.nodes[number(1)].snapID = slices.Clone(w.nodes[number(1)].data), w.nodes[number(1)].replid
		w.kill(number(1))
	case "freeze":
		w.freeze(number(1))
	case "wake":
		w.wake(number(1))
	case "restart":
		w.commandRestart(number(1), words[2])
	case "slow":
		w.slow = number(1)
	case "lag":
		w.nodes[number(1)].lagging = words[2] == "on"
	case "foreign":
		w.nodes[number(1)].replid, w.nodes[number(1)].replid2, w.nodes[number(1)].run = w.id("X"), "", w.id("run")
	case "promote-by-hand":
		f := w.nodes[number(1)]
		f.follow(noNode)
		f.master, f.replid2, f.replid = true, f.replid, w.id("L")
	case "replica-by-hand":
		w.endStreams(number(1))
		w.nodes[number(1)].follow(number(2))
	case "evidence":
		w.observe(Observation{Evidence: &Evidence{Backend: w.pool.master, Epoch: w.pool.epoch, Kind: EvEOF}})
	case "sleep": // this process does not run
		d, err := time.ParseDuration(words[1])
		if err != nil {
			return err
		}
		w.now += d
	case "order":
		return w.commandOrder(words[1:])
	default:
		return fmt.Errorf("unknown command %q", words[0])
	}
	return nil
}

func (w *world) commandRestart(i int, how string) {
	f := w.nodes[i]
	snapshot, id := f.snapshot, f.snapID
	defer func() { f.snapshot, f.snapID = snapshot, id }()
	switch how {
	case "empty":
		w.restart(i, nil, "")
	case "old":
		w.restart(i, snapshot[:len(snapshot)/2], id)
	case "replica":
		w.restart(i, snapshot, "")
		f.follow(0)
		f.replid = id
	case "whole":
		w.restart(i, snapshot, id)
	}
}

func (w *world) commandOrder(words []string) error {
	kinds := map[string]OrderKind{"switchover": OrderSwitchover, "failover": OrderFailover, "hold": OrderHold, "release": OrderRelease}
	kind, found := kinds[words[0]]
	if !found {
		return fmt.Errorf("unknown order %q", words[0])
	}
	w.ordered++
	o := Order{ID: w.ordered, Kind: kind, To: noNode}
	for _, word := range words[1:] {
		if n, err := strconv.Atoi(word); err == nil {
			o.To = n
		}
		o.AcceptLoss = o.AcceptLoss || word == "accept-loss"
	}
	w.observe(Observation{Order: &o})
	return nil
}
