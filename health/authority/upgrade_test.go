package authority

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// aloneText and aloneNote are what version 1 wrote: a master of epoch 7 and the intent of epoch 8.
const (
	aloneText = `{
  "version": 1,
  "checksum": "92fa8b5d",
  "record": {
    "pool": "cache",
    "epoch": 7,
    "node": "redis1",
    "address": "10.0.0.1:6379",
    "run_id": "r",
    "lineage": "L",
    "known": [
      "L",
      "K"
    ],
    "offset": 100,
    "intent": {
      "epoch": 8,
      "node": "redis2",
      "address": "",
      "lineage": "L",
      "offset": 100
    },
    "at": "2026-11-20T17:32:09.269386531Z"
  }
}
`
	aloneNote = `{"epoch":7,"offset":500}` + "\n"
)

func aloneDir(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	writeFile(t, filepath.Join(dir, "cache.json"), []byte(aloneText))
	writeFile(t, filepath.Join(dir, "cache.offset"), []byte(aloneNote))
	return dir
}

func TestVersion1IsTakenOver(t *testing.T) {
	t.Parallel()
	dir := aloneDir(t)
	var log bytes.Buffer
	l, j := openLogged(t, dir, slog.New(slog.NewTextHandler(&log, nil)))
	for range 2 {
		if got := j.Last(); got.Epoch != 7 || intentEpoch(got) != 8 || got.Offset != 500 || got.Node != "redis1" || len(got.Known) != 2 {
			t.Errorf("got %+v", got)
		}
		l.Close()
		l, j = open(t, dir)
	}
	kept := filepath.Join(dir, "cache.json.v1")
	if got := readFile(t, kept); string(got) != aloneText || !strings.Contains(log.String(), kept) {
		t.Errorf("kept is %q, log %q", got, log.String())
	}
	if _, err := os.Stat(filepath.Join(dir, "cache.json")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the old journal is still there: %v", err)
	}
	if err := j.Intend(intent(7, 8)); err != nil {
		t.Error(err)
	}
	if err := j.Commit(record(6)); !errors.Is(err, ErrBackwards) {
		t.Errorf("got %v, want %v", err, ErrBackwards)
	}
}

// A crash at each step of the upgrade leaves something from which the next start ends it.
func TestTheUpgradeIsEndedAfterACrash(t *testing.T) {
	t.Parallel()
	done := aloneDir(t)
	if _, err := remembered(t, done); err != nil {
		t.Fatal(err)
	}
	for name, files := range map[string][]string{
		"before the slots":      {"cache.offset"},
		"after the first slot":  {"cache.offset", "cache.journal-a"},
		"after the second slot": {"cache.offset", "cache.journal-a", "cache.journal-b"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := aloneDir(t)
			for _, file := range files {
				writeFile(t, filepath.Join(dir, file), readFile(t, filepath.Join(done, file)))
			}
			if got, err := remembered(t, dir); err != nil || got.Epoch != 7 || intentEpoch(got) != 8 {
				t.Fatalf("got %+v, %v", got, err)
			}
			if got := readFile(t, filepath.Join(dir, "cache.json.v1")); string(got) != aloneText {
				t.Errorf("kept: %q", got)
			}
		})
	}
}

func TestVersion1BesideNewerSlotsIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	written(t, dir, record(3))
	path := filepath.Join(dir, "cache.json")
	writeFile(t, path, []byte(aloneText))
	if _, err := remembered(t, dir); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), path) {
		t.Errorf("got %v, want %v with the path", err, ErrDamaged)
	}
}

func TestDamageOfVersion1IsAnError(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(string) string{
		"a flipped digit": func(s string) string { return strings.Replace(s, `"epoch": 7`, `"epoch": 6`, 1) },
		"a torn end":      func(s string) string { return s[:len(s)/2] },
		"an empty file":   func(string) string { return "" },
		"version 0":       func(s string) string { return strings.Replace(s, `"version": 1`, `"version": 0`, 1) },
	} {
		dir := aloneDir(t)
		path := filepath.Join(dir, "cache.json")
		writeFile(t, path, []byte(damage(aloneText)))
		if _, err := remembered(t, dir); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: got %v, want %v with the path", name, err, ErrDamaged)
		}
		if _, err := os.Stat(slotPaths(dir)[0]); err == nil {
			t.Errorf("%s: slots were made without what it held", name)
		}
	}
}
