package authority

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"holdfast/health"
)

// Journal remembers one pool: who is master since which epoch, and which promotion was begun.
//
// Invariants: last.Epoch and the epoch of the highest intent never decrease; what Intend and Commit were given is on disk when they
// return nil.
type Journal struct {
	dir  string
	pool string

	mu     sync.Mutex // guards last and the files
	last   health.Record
	marked mark
}

// mark is the offset noted since the last record. It is not synced: losing it makes the loss of a later failover look smaller.
type mark struct {
	Epoch  uint64 `json:"epoch"`
	Offset int64  `json:"offset"`
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
		content, err := encode(r)
		if err != nil {
			return err
		}
		if err := replace(j.path(), content, true); err != nil {
			return err
		}
	}
	j.last = r
	return nil
}

// Note remembers the offset of an epoch. Notes of an old epoch are dropped.
func (j *Journal) Note(epoch uint64, offset int64) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if epoch != j.last.Epoch {
		return nil
	}
	j.marked = mark{Epoch: epoch, Offset: offset}
	if j.dir == "" {
		return nil
	}
	content, err := json.Marshal(j.marked)
	if err != nil {
		return fmt.Errorf("encode offset: %w", err)
	}
	return replace(j.markPath(), append(content, '\n'), false)
}

// Keep appends a receipt to the history of the pool.
func (j *Journal) Keep(r health.Receipt) error {
	if j.dir == "" {
		return nil
	}
	line, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("encode receipt: %w", err)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	path := j.receiptsPath()
	f, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o640)
	if err != nil {
		return fmt.Errorf("append receipt to %s: %w", path, err)
	}
	if torn(f) {
		line = append([]byte{'\n'}, line...)
	}
	_, err = f.Write(append(line, '\n'))
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("append receipt to %s: %w", path, err)
	}
	return nil
}

func (j *Journal) path() string     { return filepath.Join(j.dir, j.pool+".json") }
func (j *Journal) markPath() string { return filepath.Join(j.dir, j.pool+".offset") }

// load reads the journal. A missing file is a pool nobody knows; a damaged one is an error.
func (j *Journal) load() error {
	if j.dir == "" {
		return nil
	}
	content, err := os.ReadFile(j.path())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read journal %s: %w", j.path(), err)
	}
	if j.last, err = decode(content); err != nil {
		return fmt.Errorf("read journal %s: %w; restore it, or remove it to start without a memory", j.path(), err)
	}
	if j.last.Pool != j.pool {
		return fmt.Errorf("read journal %s: %w: it is the journal of pool %q", j.path(), ErrDamaged, j.last.Pool)
	}
	j.loadMark()
	return nil
}

// loadMark reads the noted offset, and does without if it cannot.
func (j *Journal) loadMark() {
	content, err := os.ReadFile(j.markPath())
	if err != nil || json.Unmarshal(content, &j.marked) != nil {
		j.marked = mark{}
	}
}
