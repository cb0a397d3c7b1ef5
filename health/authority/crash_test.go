package authority

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"holdfast/health"
)

// sector is the most that every disk writes as a whole.
const sector = 512

func slotPaths(dir string) [2]string {
	return [2]string{filepath.Join(dir, "cache.journal-a"), filepath.Join(dir, "cache.journal-b")}
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func writeFile(t *testing.T, path string, text []byte) {
	t.Helper()
	if err := os.WriteFile(path, text, 0o640); err != nil {
		t.Fatal(err)
	}
}

// written makes a journal of these records and returns both slots as they are then.
func written(t *testing.T, dir string, records ...health.Record) (slots [2][]byte) {
	t.Helper()
	l, j := open(t, dir)
	for _, r := range records {
		write := j.Commit
		if r.Intent != nil {
			write = j.Intend
		}
		if err := write(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	for i, path := range slotPaths(dir) {
		slots[i] = readFile(t, path)
	}
	return slots
}

// remembered is what a new process would know.
func remembered(t *testing.T, dir string) (health.Record, error) {
	t.Helper()
	l, err := Open(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	j, err := l.Pool("cache")
	if err != nil {
		return health.Record{}, err
	}
	return j.Last(), nil
}

// recovered is what is known from such slots. Now and then it is asked of real files, which takes its time on a busy disk.
func recovered(t *testing.T, dir string, texts [2][]byte, files bool) (health.Record, error) {
	t.Helper()
	if files {
		for i, path := range slotPaths(dir) {
			writeFile(t, path, texts[i])
		}
		return remembered(t, dir)
	}
	var found [2]reading
	for i, s := 0, newSlots(dir, "cache", nil); i < 2; i++ {
		var err error
		if found[i], err = s.inspect(s.files[i].path, texts[i]); err != nil {
			return health.Record{}, err
		}
	}
	newest, err := choose(found)
	return found[newest].record, err
}

// filesEvery is how many tears are only looked at in memory for one that goes through files.
const filesEvery = 101

// tears are all states in which a crash may leave a slot whose content was being replaced: broken off at each byte, and with any of
// its sectors written and the others not.
func tears(before, after []byte) [][]byte {
	torn := [][]byte{before}
	for n := range len(after) + 1 {
		if next := append(bytes.Clone(after[:n]), before[n:]...); !bytes.Equal(next, torn[len(torn)-1]) {
			torn = append(torn, next)
		}
	}
	var differ []int
	for at := 0; at < len(after); at += sector {
		if !bytes.Equal(before[at:at+sector], after[at:at+sector]) {
			differ = append(differ, at)
		}
	}
	for subset := range 1 << len(differ) {
		next := bytes.Clone(before)
		for i, at := range differ {
			if subset>>i&1 == 1 {
				copy(next[at:at+sector], after[at:at+sector])
			}
		}
		torn = append(torn, next)
	}
	return torn
}

// A crash in the middle of any write leaves the record before it or the new one, and never less than what was on disk already.
func TestATornWriteLosesNothingThatReturned(t *testing.T) {
	t.Parallel()
	long := intent(1, 2)
	for i := range 20 {
		long.Known = append(long.Known, fmt.Sprintf("%040d", i))
	}
	history := []health.Record{intent(0, 1), record(1), long, record(2), intent(2, 3)}
	for n := 1; n < len(history); n++ {
		t.Run(fmt.Sprintf("record %d", n+1), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			before := written(t, dir, history[:n]...)
			note := readFile(t, filepath.Join(dir, "cache.offset"))
			after := written(t, dir, history[n])
			writeFile(t, filepath.Join(dir, "cache.offset"), note) // the crash came before it knew
			slot := n % 2
			if !bytes.Equal(before[1-slot], after[1-slot]) {
				t.Fatal("the slot of the record before was touched")
			}
			news := 0
			for i, torn := range tears(before[slot], after[slot]) {
				now := before
				now[slot] = torn
				got, err := recovered(t, dir, now, i%filesEvery == 0)
				if err != nil {
					t.Fatalf("tear %d: %v", i, err)
				}
				switch wantOld, wantNew := history[n-1], history[n]; {
				case got.Epoch == wantNew.Epoch && intentEpoch(got) == intentEpoch(wantNew):
					news++
				case got.Epoch != wantOld.Epoch || intentEpoch(got) != intentEpoch(wantOld):
					t.Fatalf("tear %d: got epoch %d and intent %d, neither the old nor the new record", i, got.Epoch, intentEpoch(got))
				}
			}
			if news == 0 {
				t.Error("not even the whole write was read back")
			}
			_, j := open(t, dir)
			if err := j.Commit(record(9)); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// The first record has no other beside it: torn, it is damage, because somebody may have acted on it.
func TestATornFirstRecordIsDamage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	before := written(t, dir)
	after := written(t, dir, intent(0, 1))
	count := map[string]int{}
	for i, torn := range tears(before[0], after[0]) {
		switch got, err := recovered(t, dir, [2][]byte{torn, before[1]}, i%filesEvery == 0); {
		case errors.Is(err, ErrDamaged):
			count["damaged"]++
		case err != nil:
			t.Fatalf("tear %d: %v", i, err)
		case got.Empty():
			count["nothing"]++
		case intentEpoch(got) == 1:
			count["whole"]++
		default:
			t.Fatalf("tear %d: got %+v", i, got)
		}
	}
	if count["damaged"] == 0 || count["nothing"] == 0 || count["whole"] == 0 {
		t.Errorf("got %v, want each of the three", count)
	}
}

// A process that is killed at any moment has left everything it was told to be on disk, and epochs go on from there.
//
// It runs by itself: a process that is being started holds the locks of all directories that are open at that moment.
func TestKilledWritersLoseNothing(t *testing.T) {
	dir := t.TempDir()
	var before uint64
	for round := range 12 {
		intended, committed := killWriter(t, dir, 1+round*5%13)
		r, err := remembered(t, dir)
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		if r.Epoch < committed || highest(r) < intended || highest(r) < before {
			t.Fatalf("round %d: got %d with intent %d; on disk were commit %d, intent %d, and epoch %d in the round before", round,
				r.Epoch, intentEpoch(r), committed, intended, before)
		}
		if highest(r) > intended+1 {
			t.Fatalf("round %d: got epoch %d, nobody wanted more than %d", round, highest(r), intended+1)
		}
		before = highest(r)
	}
}

// killWriter lets a process write and kills it after so many steps. It returns what that process said to be on disk.
func killWriter(t *testing.T, dir string, steps int) (intended, committed uint64) {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	writer := exec.CommandContext(t.Context(), program)
	writer.Env = append(os.Environ(), writerVariable+"="+dir)
	var complaint bytes.Buffer
	writer.Stderr = &complaint
	out, err := writer.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := writer.Start(); err != nil {
		t.Fatal(err)
	}
	said := bufio.NewScanner(out)
	for n := 1; said.Scan(); n++ {
		var step string
		var epoch uint64
		if _, err := fmt.Sscan(said.Text(), &step, &epoch); err != nil {
			t.Errorf("the writer said %q", said.Text())
		}
		if step == "intended" {
			intended = epoch
		} else {
			committed = epoch
		}
		if n == steps {
			if err := writer.Process.Kill(); err != nil {
				t.Error(err)
			}
		}
	}
	if err := writer.Wait(); err == nil || complaint.Len() > 0 {
		t.Fatalf("the writer ended by itself: %v %s", err, complaint.Bytes())
	}
	return intended, committed
}
