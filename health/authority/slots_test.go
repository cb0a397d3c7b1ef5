package authority

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func flip(text []byte) []byte {
	return bytes.Replace(text, []byte(`"run_id": "r"`), []byte(`"run_id": "s"`), 1)
}

// What may have been acted upon, and cannot be read, is an error that names the file; it is never repaired by guessing.
func TestDamageIsAnError(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(t *testing.T, dir string, slots [2][]byte){
		"both slots": func(t *testing.T, dir string, slots [2][]byte) {
			writeFile(t, slotPaths(dir)[0], flip(slots[0]))
			writeFile(t, slotPaths(dir)[1], flip(slots[1]))
		},
		"both slots are cut short": func(t *testing.T, dir string, slots [2][]byte) {
			writeFile(t, slotPaths(dir)[0], slots[0][:100])
			writeFile(t, slotPaths(dir)[1], nil)
		},
		"one slot, and the other is gone": func(t *testing.T, dir string, slots [2][]byte) {
			writeFile(t, slotPaths(dir)[0], flip(slots[0]))
			os.Remove(slotPaths(dir)[1])
		},
		"a record that the note knows is torn": func(t *testing.T, dir string, slots [2][]byte) {
			writeFile(t, slotPaths(dir)[0], flip(slots[0])) // record 3 of 3
		},
		"a record that the note knows is gone": func(t *testing.T, dir string, _ [2][]byte) {
			os.Remove(slotPaths(dir)[0])
		},
		"the same slot twice": func(t *testing.T, dir string, slots [2][]byte) {
			writeFile(t, slotPaths(dir)[1], slots[0])
		},
		"the slots of another pool": func(t *testing.T, dir string, _ [2][]byte) {
			other := t.TempDir()
			l, _ := open(t, other)
			j, err := l.Pool("queue")
			if err != nil || j.Commit(record(9)) != nil {
				t.Fatalf("make another pool: %v", err)
			}
			writeFile(t, slotPaths(dir)[0], readFile(t, filepath.Join(other, "queue.journal-a")))
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			l, j := open(t, dir)
			if err := errors.Join(j.Commit(record(1)), j.Note(1, 500), j.Intend(intent(1, 2)), j.Commit(record(2))); err != nil {
				t.Fatal(err)
			}
			l.Close()
			damage(t, dir, written(t, dir))
			_, err := remembered(t, dir)
			if !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), filepath.Join(dir, "cache.journal-")) {
				t.Errorf("got %v, want %v with a path", err, ErrDamaged)
			}
		})
	}
}

// Only the second slot can be missing after a crash while they were made. Without the first one a record may be.
func TestSlotsThatWereNeverWritten(t *testing.T) {
	t.Parallel()
	for missing, want := range []error{ErrDamaged, nil} {
		dir := t.TempDir()
		written(t, dir)
		if err := os.Remove(slotPaths(dir)[missing]); err != nil {
			t.Fatal(err)
		}
		if got, err := remembered(t, dir); !errors.Is(err, want) || !got.Empty() {
			t.Errorf("without %s: got %v, want %v", slotPaths(dir)[missing], err, want)
		}
	}
}

// The other slot goes on without a torn or missing one, and says so; the next record makes the pair whole.
func TestOneSlotIsEnough(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(path string, text []byte) error{
		"torn":    func(path string, text []byte) error { return os.WriteFile(path, flip(text), 0o640) },
		"missing": func(path string, _ []byte) error { return os.Remove(path) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			slots := written(t, dir, record(1), intent(1, 2)) // the newest is in the second
			paths := slotPaths(dir)
			if err := damage(paths[1], slots[1]); err != nil {
				t.Fatal(err)
			}
			var log bytes.Buffer
			l, j := openLogged(t, dir, slog.New(slog.NewTextHandler(&log, nil)))
			if got := j.Last(); got.Epoch != 1 || got.Intent != nil {
				t.Errorf("got %+v, want epoch 1 alone", got)
			}
			for _, want := range append(paths[:], name, "WARN") {
				if !strings.Contains(log.String(), want) {
					t.Errorf("the log does not have %q: %s", want, log.String())
				}
			}
			if err := j.Commit(record(3)); err != nil {
				t.Fatal(err)
			}
			l.Close()
			if !bytes.Equal(readFile(t, paths[0]), slots[0]) {
				t.Error("the slot that was whole has changed")
			}
			log.Reset()
			if _, j := openLogged(t, dir, slog.New(slog.NewTextHandler(&log, nil))); j.Last().Epoch != 3 || log.Len() > 0 {
				t.Errorf("got epoch %d and log %q, want 3 and no word", j.Last().Epoch, log.String())
			}
		})
	}
}

// A write takes no new file and no new block: that is what waits for others.
func TestRecordsAreWrittenInPlace(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, j := open(t, dir)
	identity := func() (files []os.FileInfo) {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			info, err := e.Info()
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, info)
		}
		return files
	}
	before := identity()
	for epoch := range uint64(9) {
		if err := errors.Join(j.Intend(intent(epoch, epoch+1)), j.Commit(record(epoch+1)), j.Note(epoch+1, 7)); err != nil {
			t.Fatal(err)
		}
	}
	after := identity()
	if len(before) != len(after) {
		t.Fatalf("got %d files, want %d", len(after), len(before))
	}
	for i := range before {
		if !os.SameFile(before[i], after[i]) || before[i].Size() != after[i].Size() {
			t.Errorf("%s is another file, or has another size", before[i].Name())
		}
	}
	for _, path := range slotPaths(dir) {
		if text := readFile(t, path); len(text) != slotSize || !bytes.HasSuffix(text, []byte(" \n")) {
			t.Errorf("%s has %d bytes, want %d, blanks at the end", path, len(text), slotSize)
		}
	}
}

func TestLargeRecordsGetLargerSlots(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	large := record(1)
	for i := range 300 {
		large.Known = append(large.Known, fmt.Sprintf("%040d", i))
	}
	slots := written(t, dir, large, record(2), record(3), intent(3, 4))
	for i, text := range slots {
		if len(text) != len(slots[0]) || len(text)%slotSize != 0 || len(text) < 300*40 {
			t.Errorf("slot %d has %d bytes, the other one %d", i, len(text), len(slots[0]))
		}
	}
	if got, err := remembered(t, dir); err != nil || intentEpoch(got) != 4 {
		t.Errorf("got %+v, %v", got, err)
	}
}

// A write that fails touches its own slot only, and the next one repairs that.
func TestAFailedWriteLeavesTheOtherSlot(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func(t *testing.T, s *slot){
		"the write": func(_ *testing.T, s *slot) { s.file.Close() },
		"the sync": func(t *testing.T, s *slot) {
			null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0) // takes everything, and cannot be synced
			if err != nil {
				t.Fatal(err)
			}
			s.file.Close()
			s.file = null
		},
		"the end of it": func(t *testing.T, s *slot) {
			if _, err := s.file.WriteAt([]byte(`{"version": 2, "seq`), 0); err != nil {
				t.Fatal(err)
			}
			s.file.Close()
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			l, j := open(t, dir)
			if err := errors.Join(j.Commit(record(1)), j.Commit(record(2))); err != nil {
				t.Fatal(err)
			}
			kept := readFile(t, slotPaths(dir)[1])
			fail(t, &j.slots.files[0])
			err := j.Intend(intent(2, 3))
			if err == nil || !strings.Contains(err.Error(), slotPaths(dir)[0]) {
				t.Fatalf("got %v, want an error that names the slot", err)
			}
			if j.Last().Intent != nil || !bytes.Equal(readFile(t, slotPaths(dir)[1]), kept) {
				t.Fatal("what was not written is remembered, or the other slot has changed")
			}
			if err := j.Intend(intent(2, 3)); err != nil || !bytes.Equal(readFile(t, slotPaths(dir)[1]), kept) {
				t.Fatalf("got %v; or it went to the other slot", err)
			}
			l.Close()
			if got, err := remembered(t, dir); err != nil || intentEpoch(got) != 3 {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}

// The files may be taken away under a running process. What it writes then is found again under their names.
func TestFilesThatWereTakenAway(t *testing.T) {
	t.Parallel()
	for name, take := range map[string]func(path string) error{
		"removed":  os.Remove,
		"moved":    func(path string) error { return os.Rename(path, path+".elsewhere") },
		"replaced": func(path string) error { return replaceBy(path, []byte("{}")) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			l, j := open(t, dir)
			if err := errors.Join(j.Commit(record(1)), j.Note(1, 300)); err != nil {
				t.Fatal(err)
			}
			paths := slotPaths(dir)
			for _, path := range []string{paths[0], paths[1], filepath.Join(dir, "cache.offset")} {
				if err := take(path); err != nil {
					t.Fatal(err)
				}
			}
			if err := errors.Join(j.Intend(intent(1, 2)), j.Note(1, 400)); err != nil {
				t.Fatal(err)
			}
			if got := readJournal(t, dir); intentEpoch(got.Last()) != 2 || got.Last().Offset != 400 {
				t.Errorf("after one record: got %+v", got.Last())
			}
			if err := j.Commit(record(2)); err != nil {
				t.Fatal(err)
			}
			l.Close()
			if got, err := remembered(t, dir); err != nil || got.Epoch != 2 {
				t.Errorf("after two: got %+v, %v", got, err)
			}
		})
	}
}

func replaceBy(path string, text []byte) error {
	return errors.Join(os.WriteFile(path+".other", text, 0o640), os.Rename(path+".other", path))
}

// readJournal is a second look at the files of a journal that is open.
func readJournal(t *testing.T, dir string) *Journal {
	t.Helper()
	j := newJournal(dir, "cache", slog.New(slog.NewTextHandler(io.Discard, nil)))
	t.Cleanup(func() { j.close() })
	if err := j.load(); err != nil {
		t.Fatal(err)
	}
	return j
}

// Without its directory nothing can be promised; as soon as it is back, it can.
func TestADirectoryThatComesBack(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "state")
	_, j := open(t, dir)
	if err := errors.Join(j.Commit(record(1)), os.RemoveAll(dir)); err != nil {
		t.Fatal(err)
	}
	if err := j.Intend(intent(1, 2)); err == nil || j.Last().Intent != nil {
		t.Fatalf("got %v, last %+v; want an error", err, j.Last())
	}
	if err := errors.Join(os.Mkdir(dir, 0o750), j.Intend(intent(1, 2))); err != nil {
		t.Fatal(err)
	}
	if got := readJournal(t, dir).Last(); intentEpoch(got) != 2 {
		t.Errorf("got %+v", got)
	}
}

func TestLaterVersionsAreRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	slots := written(t, dir, record(1), record(2))
	later := bytes.Replace(slots[0], []byte(`"version": 2`), []byte(`"version": 3`), 1)
	writeFile(t, slotPaths(dir)[0], later) // the other one is whole, and newer
	_, err := remembered(t, dir)
	if !errors.Is(err, ErrLaterVersion) || !strings.Contains(err.Error(), slotPaths(dir)[0]) {
		t.Errorf("got %v, want %v with the path", err, ErrLaterVersion)
	}
	if !bytes.Equal(readFile(t, slotPaths(dir)[0]), later) {
		t.Error("it was written to")
	}
}

// Who removes the slots begins anew, whatever is left beside them.
func TestBeginningAnew(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l, j := open(t, dir)
	if err := errors.Join(j.Commit(record(1)), j.Commit(record(2)), j.Commit(record(3)), j.Note(3, 500)); err != nil {
		t.Fatal(err)
	}
	l.Close()
	for _, path := range slotPaths(dir) {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	written(t, dir, record(1))
	if got, err := remembered(t, dir); err != nil || got.Epoch != 1 || got.Offset != 100 {
		t.Errorf("got %+v, %v; want epoch 1", got, err)
	}
}

// The files of one pool are never those of another one, whatever the pools are called.
func TestPoolsWithNamesThatContinueEachOther(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l, _ := open(t, dir)
	names := []string{"cache.1", "cache.journal-a", "cache.json", "cache.offset", "cache.v1"}
	for i, name := range names {
		j, err := l.Pool(name)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := errors.Join(j.Commit(record(uint64(i+1))), j.Commit(record(uint64(i+11))), j.Note(uint64(i+11), 1)); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	l.Close()
	again, err := Open(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	for i, name := range names {
		if j, err := again.Pool(name); err != nil || j.Last().Epoch != uint64(i+11) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
