package authority

import (
	"bytes"
	"errors"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"holdfast/health"
)

func open(t *testing.T, dir string) (*Local, *Journal) {
	t.Helper()
	return openLogged(t, dir, nil)
}

func openLogged(t *testing.T, dir string, log *slog.Logger) (*Local, *Journal) {
	t.Helper()
	l, err := Open(dir, log)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() { l.Close() })
	j, err := l.Pool("cache")
	if err != nil {
		t.Fatalf("open pool: %v", err)
	}
	return l, j
}

func record(epoch uint64) health.Record {
	return health.Record{Epoch: epoch, Node: "redis1", Address: "10.0.0.1:6379", RunID: "r", Lineage: "L", Known: []string{"L", "K"},
		Offset: 100, Relaxed: map[string]int64{"redis1": 2}}
}

func intent(base, epoch uint64) health.Record {
	r := record(base)
	r.Intent = &health.Intent{Epoch: epoch, Node: "redis2", Lineage: "L", Offset: 100}
	return r
}

func TestJournalSurvives(t *testing.T) {
	dir := t.TempDir()
	l, j := open(t, dir)
	for _, write := range []func() error{
		func() error { return j.Intend(intent(0, 1)) },
		func() error { return j.Commit(record(1)) },
		func() error { return j.Note(1, 250) },
		func() error { return j.Intend(intent(1, 2)) },
	} {
		if err := write(); err != nil {
			t.Fatal(err)
		}
	}
	l.Close()
	_, again := open(t, dir)
	got := again.Last()
	wrong := got.Intent == nil || got.Intent.Epoch != 2 || got.Intent.Node != "redis2"
	if wrong || got.Epoch != 1 || got.Offset != 250 || len(got.Known) != 2 {
		t.Errorf("got %+v", got)
	}
	if want := map[string]int64{"redis1": 2}; !maps.Equal(got.Relaxed, want) {
		t.Errorf("relaxed: got %v, want %v", got.Relaxed, want)
	}
	if got.Pool != "cache" || got.At.IsZero() {
		t.Errorf("got pool %q at %s", got.Pool, got.At)
	}
}

func TestEpochsNeverGoBack(t *testing.T) {
	_, j := open(t, t.TempDir())
	if err := j.Commit(record(5)); err != nil {
		t.Fatal(err)
	}
	for name, write := range map[string]func() error{
		"commit of an old epoch":           func() error { return j.Commit(record(4)) },
		"intent of the present epoch":      func() error { return j.Intend(intent(4, 5)) },
		"intent beside an old epoch":       func() error { return j.Intend(intent(4, 6)) },
		"a record without an intent in it": func() error { return j.Intend(record(6)) },
	} {
		if err := write(); !errors.Is(err, ErrBackwards) {
			t.Errorf("%s: got %v, want %v", name, err, ErrBackwards)
		}
	}
	if err := j.Note(4, 9999); err != nil || j.Last().Offset != 100 {
		t.Errorf("note of an old epoch: got %v, offset %d", err, j.Last().Offset)
	}
}

// The completion of one mastership may arrive after the intent of the next.
func TestCommitKeepsALaterIntent(t *testing.T) {
	_, j := open(t, t.TempDir())
	if err := errors.Join(j.Intend(intent(0, 1)), j.Intend(intent(1, 2)), j.Commit(record(1))); err != nil {
		t.Fatal(err)
	}
	if got := j.Last(); got.Intent == nil || got.Intent.Epoch != 2 {
		t.Errorf("got %+v, want the intent of epoch 2", got)
	}
	if err := j.Commit(record(2)); err != nil || j.Last().Intent != nil {
		t.Errorf("got %v %+v, want no intent", err, j.Last())
	}
}

// A damaged offset note only makes the estimate worse.
func TestDamagedNoteIsIgnored(t *testing.T) {
	dir := t.TempDir()
	l, j := open(t, dir)
	if err := errors.Join(j.Commit(record(1)), j.Note(1, 500)); err != nil {
		t.Fatal(err)
	}
	l.Close()
	if err := os.WriteFile(filepath.Join(dir, "cache.offset"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, again := open(t, dir); again.Last().Offset != 100 {
		t.Errorf("offset: got %d, want 100", again.Last().Offset)
	}
}

func TestOneProcessPerDirectory(t *testing.T) {
	dir := t.TempDir()
	l, _ := open(t, dir)
	if _, err := Open(dir, nil); !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), dir) {
		t.Errorf("second open: got %v, want %v with the directory", err, ErrLocked)
	}
	l.Close()
	second, err := Open(dir, nil)
	if err != nil {
		t.Fatalf("open after close: %v", err)
	}
	second.Close()
}

func TestWithoutADirectory(t *testing.T) {
	var log bytes.Buffer
	l, err := Open("", slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	j, err := l.Pool("cache")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(j.Intend(intent(0, 1)), j.Commit(record(1)), j.Note(1, 7), j.Keep(health.Receipt{})); err != nil {
		t.Errorf("got %v", err)
	}
	if !strings.Contains(log.String(), "state_dir") || j.Last().Epoch != 1 || l.Close() != nil {
		t.Errorf("log %q, last %+v", log.String(), j.Last())
	}
}

func TestReceiptsAreAppended(t *testing.T) {
	dir := t.TempDir()
	_, j := open(t, dir)
	if err := errors.Join(j.Keep(health.Receipt{Epoch: 1}), j.Keep(health.Receipt{Epoch: 2})); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(filepath.Join(dir, "cache.receipts.jsonl"))
	if err != nil || strings.Count(string(content), "\n") != 2 || !strings.Contains(string(content), `"epoch":2`) {
		t.Errorf("got %q %v", content, err)
	}
}

func TestPoolNamesStayInTheDirectory(t *testing.T) {
	l, _ := open(t, t.TempDir())
	for _, name := range []string{"", "..", "../x", "a/b", ".hidden", strings.Repeat("x", 200)} {
		if _, err := l.Pool(name); !errors.Is(err, ErrPoolName) {
			t.Errorf("%q: got %v, want %v", name, err, ErrPoolName)
		}
	}
}

// A promotion waits for its intent: neither a receipt nor a note on its way may hold it up.
func TestReceiptsAndNotesHoldNobodyUp(t *testing.T) {
	_, j := open(t, t.TempDir())
	j.keeping.Lock()
	j.noting.Lock()
	defer j.keeping.Unlock()
	defer j.noting.Unlock()
	if err := errors.Join(j.Intend(intent(0, 1)), j.Commit(record(1))); err != nil || j.Last().Epoch != 1 {
		t.Errorf("got %v, last %+v", err, j.Last())
	}
}

func FuzzDecode(f *testing.F) {
	good, err := encode(3, intent(1, 2), slotSize)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{"version":2,"sequence":0,"checksum":"00000000","record":{}}`))
	f.Add([]byte(aloneText))
	f.Fuzz(func(t *testing.T, content []byte) {
		for _, v := range []int{version, versionAlone} {
			e, err := decode(content, v)
			if err != nil {
				continue
			}
			r, err := recordOf(e)
			if err != nil {
				continue
			}
			again, err := encode(e.Sequence, r, slotSize)
			if err != nil {
				t.Fatal(err)
			}
			if back, err := decode(again, version); err != nil || back.Sequence != e.Sequence {
				t.Errorf("what was accepted cannot be read again: %v", err)
			}
		}
	})
}
