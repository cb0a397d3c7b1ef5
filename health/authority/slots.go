package authority

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"

	"holdfast/health"
)

// slotSize is how much is written at a time, in bytes. A record with eight lineages has below 2 KiB. One page is the most that the
// kernel takes from a process in one piece, so a killed process leaves no half of it. A larger record gets as many pages as it needs.
const slotSize = 4 << 10

// slots are two files which hold the two newest records of a pool. They are written in turn and in place.
//
// Invariants: the newest record whose write returned nil is whole, on disk, and in files[newest], under the number sequence; a write
// touches the other file only. A number is given again only after a write that failed.
//
//	files[0]  files[1]
//	   0         0       made; nothing was ever recorded
//	  torn       0       the first record is being written, or its write failed
//	   1         0       it is on disk
//	   1        torn     the second one is being written, or its write failed: the next goes to the same file
//	   1         2       on disk; the third goes to files[0]
//	  torn       2       ...
//
// So after a crash one slot may be torn, or may hold a record whose write never returned. A torn slot beside a whole record is passed
// over, and the log says so: no write that returned can be in it, unless the disk itself forgot. That cannot be seen in the slots,
// but the note (note.go) has the number of a newest record: of each that Commit wrote. If that is missing, the journal is damaged.
// A torn slot beside one that was never written is damage too, since the first record might have been acted upon.
type slots struct {
	pool     string
	files    [2]slot
	log      *slog.Logger
	newest   int
	sequence uint64
	size     int // bytes; grows with the largest record, so that a write leaves nothing of an older one
}

func newSlots(dir, pool string, log *slog.Logger) *slots {
	base := filepath.Join(dir, pool) // a pool may be called "x.1": what follows the name must not be able to end the name of another
	return &slots{
		pool: pool, log: log, newest: 1, size: slotSize,
		files: [2]slot{{path: base + ".journal-a"}, {path: base + ".journal-b"}},
	}
}

// String is a pattern for both paths.
func (s *slots) String() string {
	path := s.files[0].path
	return path[:len(path)-1] + "[ab]"
}

// write puts a record in the place of the older one, and returns nil when it is on disk.
func (s *slots) write(r health.Record) error {
	text, err := encode(s.sequence+1, r, s.size)
	if err != nil {
		return err
	}
	s.size = len(text)
	older := 1 - s.newest
	if err := s.files[older].write(text, true); err != nil {
		return err
	}
	s.newest, s.sequence = older, s.sequence+1
	return nil
}

// reading is what was found in a slot.
type reading struct {
	sequence uint64
	record   health.Record
	err      error
}

func (r reading) missing() bool { return errors.Is(r.err, fs.ErrNotExist) }

// open reads the slots and returns the newest record. Fresh says that there are none, and that make has to follow.
func (s *slots) open() (r health.Record, fresh bool, err error) {
	var found [2]reading
	for i := range s.files {
		if found[i], err = s.read(i); err != nil {
			return r, false, err
		}
	}
	if found[0].missing() && found[1].missing() {
		return r, true, nil
	}
	if s.newest, err = choose(found); err != nil {
		return r, false, err
	}
	s.sequence = found[s.newest].sequence
	for i := range found {
		if found[i].err != nil {
			s.passOver(i, found[i])
		}
	}
	return found[s.newest].record, false, syncDir(filepath.Dir(s.files[0].path))
}

// read looks into one slot. Damage is part of what was found; the error is what forbids to go on.
func (s *slots) read(i int) (reading, error) {
	f := &s.files[i]
	if err := f.open(); errors.Is(err, fs.ErrNotExist) {
		return reading{err: fmt.Errorf("%w: %w", ErrDamaged, err)}, nil
	} else if err != nil {
		return reading{}, err
	}
	text, err := f.read()
	if err != nil {
		return reading{err: fmt.Errorf("%w: %w", ErrDamaged, err)}, nil
	}
	s.size = max(s.size, len(text))
	return s.inspect(f.path, text)
}

// inspect says what the text of a slot is.
func (s *slots) inspect(path string, text []byte) (reading, error) {
	e, err := decode(text, version)
	if err != nil && !errors.Is(err, ErrLaterVersion) {
		return reading{err: fmt.Errorf("%w: %s", err, path)}, nil
	}
	var r health.Record
	if err == nil {
		r, err = recordOf(e)
	}
	if err == nil && e.Sequence > 0 && r.Pool != s.pool {
		err = fmt.Errorf("%w: it is the journal of pool %q", ErrDamaged, r.Pool)
	}
	if err != nil {
		return reading{}, fmt.Errorf("%w: %s", err, path)
	}
	return reading{sequence: e.Sequence, record: r}, nil
}

// choose names the slot with the newest record. The second one of two that were never written counts as that, so that the first
// record always goes to the first slot: only the second can be missing after a crash while they were made.
func choose(found [2]reading) (int, error) {
	first, second := found[0], found[1]
	switch {
	case first.err == nil && second.err == nil:
		if first.sequence == second.sequence && first.sequence > 0 {
			return 0, fmt.Errorf("%w: both slots hold a record %d", ErrDamaged, first.sequence)
		}
		if first.sequence > second.sequence {
			return 0, nil
		}
		return 1, nil
	case first.err == nil && first.sequence > 0:
		return 0, nil
	case second.err == nil && second.sequence > 0:
		return 1, nil
	case first.err == nil && second.missing():
		return 1, nil
	}
	return 0, errors.Join(first.err, second.err)
}

// passOver goes on without a slot. A missing one is made again; a torn one stays for whoever wants to look, until the next record.
func (s *slots) passOver(i int, found reading) {
	used := s.files[1-i].path
	if !found.missing() {
		s.log.Warn("a slot of the journal is torn, the other one is used: usual if the machine went down while a record was written, else "+
			"look after the disk", "pool", s.pool, "torn", s.files[i].path, "used", used, "record", s.sequence, "error", found.err)
		return
	}
	s.log.Warn("a slot of the journal is missing, it is made again", "pool", s.pool, "missing", s.files[i].path, "used", used,
		"record", s.sequence)
	if err := s.blank(i); err != nil {
		s.log.Warn("cannot make a slot of the journal, it is tried again with the next record", "pool", s.pool, "error", err)
	}
}

// make makes both slots, the first one with the record if there is one. It is done long before a record is urgent.
func (s *slots) make(r *health.Record) error {
	if r == nil {
		return errors.Join(s.blank(0), s.blank(1))
	}
	text, err := encode(1, r, s.size)
	if err != nil {
		return err
	}
	if err := s.files[0].create(text); err != nil {
		return err
	}
	s.size, s.newest, s.sequence = len(text), 0, 1
	return s.blank(1)
}

// blank makes a slot in which nothing was ever recorded.
func (s *slots) blank(i int) error {
	text, err := encode(0, nil, s.size)
	if err != nil {
		return err
	}
	return s.files[i].create(text)
}

func (s *slots) close() error {
	return errors.Join(s.files[0].close(), s.files[1].close())
}
