package authority

import (
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"holdfast/health"
)

// Journal remembers one pool: who is master since which epoch, and which promotion was begun.
//
// Invariants: last.Epoch and the epoch of the highest intent never decrease; what Intend and Commit were given is on disk when they
// return nil. A promotion waits for Intend, so nothing that may be slow beside it holds its lock: not the note, not the receipts.
type Journal struct {
	dir  string // empty: nothing is kept beyond this process
	pool string
	log  *slog.Logger

	mu     sync.Mutex // guards last, marked and the slots; held while a record is written, since records have an order
	last   health.Record
	marked mark
	slots  *slots

	noting sync.Mutex // guards note; taken before mu
	note   slot

	keeping sync.Mutex // guards the file of receipts; never taken with another
}

func newJournal(dir, pool string, log *slog.Logger) *Journal {
	j := &Journal{dir: dir, pool: pool, log: log}
	if dir != "" {
		j.slots = newSlots(dir, pool, log)
		j.note.path = filepath.Join(dir, pool+".offset")
	}
	return j
}

// Last is what the journal remembers, the noted offset included.
func (j *Journal) Last() health.Record {
	j.mu.Lock()
	defer j.mu.Unlock()
	r := j.last
	if j.marked.Epoch == r.Epoch {
		r.Offset = max(r.Offset, j.marked.Offset)
	}
	return r
}

// Intend writes a record with an intent.
func (j *Journal) Intend(r health.Record) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if r.Intent == nil || r.Intent.Epoch <= j.last.Epoch {
		return fmt.Errorf("journal of pool %s: intend epoch %d after epoch %d: %w", j.pool, intentEpoch(r), j.last.Epoch, ErrBackwards)
	}
	if r.Epoch < j.last.Epoch {
		return fmt.Errorf("journal of pool %s: epoch %d after epoch %d: %w", j.pool, r.Epoch, j.last.Epoch, ErrBackwards)
	}
	return j.saveLocked(r)
}

// Commit writes a finished mastership. An intent for a later epoch, written meanwhile, is kept.
func (j *Journal) Commit(r health.Record) error {
	if err := j.commit(r); err != nil {
		return err
	}
	j.noteRecord()
	return nil
}

func (j *Journal) commit(r health.Record) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if r.Epoch < j.last.Epoch {
		return fmt.Errorf("journal of pool %s: commit epoch %d after epoch %d: %w", j.pool, r.Epoch, j.last.Epoch, ErrBackwards)
	}
	if intentEpoch(j.last) > r.Epoch {
		r.Intent = j.last.Intent
	}
	return j.saveLocked(r)
}

func intentEpoch(r health.Record) uint64 {
	if r.Intent == nil {
		return 0
	}
	return r.Intent.Epoch
}

func (j *Journal) saveLocked(r health.Record) error {
	r.Pool, r.At = j.pool, time.Now().UTC()
	if j.dir != "" {
		if err := j.slots.write(r); err != nil {
			return fmt.Errorf("journal of pool %s: %w", j.pool, err)
		}
	}
	j.last = r
	return nil
}

// load reads what is remembered, and makes the files that are missing. A damaged journal is an error.
func (j *Journal) load() error {
	if j.dir == "" {
		return nil
	}
	if err := j.loadSlots(); err != nil {
		return fmt.Errorf("read journal %s: %w; restore it and %s from one copy, or remove all three to start without a memory",
			j.slots, err, filepath.Base(j.note.path))
	}
	return nil
}

func (j *Journal) loadSlots() error {
	alone, err := j.readAlone()
	if err != nil {
		return err
	}
	last, fresh, err := j.slots.open()
	if err != nil {
		return err
	}
	if fresh {
		return j.begin(alone)
	}
	j.last = last
	if err := j.loadNote(); err != nil {
		return err
	}
	if alone != nil {
		return j.retire(*alone)
	}
	return nil
}

// begin makes the files of a pool that has no slots, from the journal of an older version if there is one. A full disk is no reason
// not to start: what could not be made is made by the first record, or that one fails.
func (j *Journal) begin(alone *health.Record) error {
	if alone == nil {
		if err := errors.Join(j.beginNote(), j.slots.make(nil)); err != nil {
			j.log.Warn("cannot make the files of the journal, it is tried again with the first record", "pool", j.pool, "error", err)
		}
		return nil
	}
	return j.upgrade(*alone)
}

func (j *Journal) close() error {
	if j.dir == "" {
		return nil
	}
	return errors.Join(j.slots.close(), j.note.close())
}
