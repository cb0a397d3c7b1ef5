package authority

import (
	"encoding/json"
	"fmt"
	"os"
)

// noteSize is what a note takes in its file, in bytes; its four numbers have up to 20 digits each.
const noteSize = 256

// mark is the offset noted since the last record. It is not synced: losing it makes the loss of a later failover look smaller.
//
// In its file it has the number of the newest record of that time, and is written after each Commit for that alone. It may be old, so a
// lower number means nothing; a number above what the slots have means that a record was lost after its write had returned.
type mark struct {
	Epoch  uint64 `json:"epoch"`
	Offset int64  `json:"offset"`
}

// Note remembers the offset of an epoch. Notes of an old epoch are dropped.
func (j *Journal) Note(epoch uint64, offset int64) error {
	j.noting.Lock()
	defer j.noting.Unlock()
	if !j.mark(mark{Epoch: epoch, Offset: offset}) || j.dir == "" {
		return nil
	}
	return j.writeNoteLocked()
}

// mark takes m over if its epoch is the present one.
func (j *Journal) mark(m mark) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	if m.Epoch != j.last.Epoch {
		return false
	}
	j.marked = m
	return true
}

// noteRecord lets the note know the number of a new record. It waits for nobody and may fail: the next note knows it as well.
func (j *Journal) noteRecord() {
	if j.dir == "" || !j.noting.TryLock() {
		return
	}
	defer j.noting.Unlock()
	if err := j.writeNoteLocked(); err != nil {
		j.log.Warn("cannot note the number of a record", "pool", j.pool, "error", err)
	}
}

// writeNoteLocked brings the file up to date. It needs noting.
func (j *Journal) writeNoteLocked() error {
	j.mu.Lock()
	m, sequence := j.marked, j.slots.sequence
	j.mu.Unlock()
	text, err := encode(sequence, m, noteSize)
	if err != nil {
		return err
	}
	return j.note.write(text, false)
}

// loadNote reads the noted offset, and does without if it cannot. It finds out whether the slots have lost a record.
func (j *Journal) loadNote() error {
	if j.note.open() != nil {
		return nil
	}
	text, err := j.note.read()
	if err != nil {
		return nil
	}
	e, err := decode(text, version)
	if err != nil || json.Unmarshal(e.Record, &j.marked) != nil {
		j.marked = mark{}
		return nil
	}
	if e.Sequence > j.slots.sequence {
		return fmt.Errorf("%w: record %d is the newest that can be read, and %s knows of record %d", ErrDamaged, j.slots.sequence,
			j.note.path, e.Sequence)
	}
	return nil
}

// beginNote makes the file of the note before there are slots, so that what it says of the records of others is gone with certainty.
func (j *Journal) beginNote() error {
	text, err := encode(0, j.marked, noteSize)
	if err != nil {
		return err
	}
	return j.note.create(text)
}

// noteAlone is the note beside a journal of version 1: its two numbers and nothing else.
func (j *Journal) noteAlone() mark {
	var m mark
	text, err := os.ReadFile(j.note.path)
	if err != nil || json.Unmarshal(text, &m) != nil {
		return mark{}
	}
	return m
}
