package authority

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"holdfast/health"
)

// Version 1 of the journal was one file, replaced with every record. It is taken over once and kept under another name:
//
//	POOL.json            read
//	POOL.json, slots     its record is in the first slot; a crash may end it here, and the next start goes on
//	POOL.json.v1, slots  done

func (j *Journal) alonePath() string { return filepath.Join(j.dir, j.pool+".json") }

// readAlone reads the journal of version 1; nil means that there is none.
func (j *Journal) readAlone() (*health.Record, error) {
	text, err := os.ReadFile(j.alonePath())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err // it names the path
	}
	e, err := decode(text, versionAlone)
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, j.alonePath())
	}
	r, err := recordOf(e)
	if err == nil && r.Pool != j.pool {
		err = fmt.Errorf("%w: it is the journal of pool %q", ErrDamaged, r.Pool)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, j.alonePath())
	}
	return &r, nil
}

// upgrade moves a record of version 1 into the slots.
func (j *Journal) upgrade(r health.Record) error {
	j.marked = j.noteAlone()
	if err := errors.Join(j.beginNote(), j.slots.make(&r)); err != nil {
		return err
	}
	j.last = r
	return j.retire(r)
}

// retire puts the journal of version 1 away if the slots hold what it holds. If they do not, an older program ran after a newer one,
// and which of the two knows more is not for us to guess.
func (j *Journal) retire(alone health.Record) error {
	have, err := json.Marshal(j.last)
	if err != nil {
		return fmt.Errorf("encode record: %w", err)
	}
	want, err := json.Marshal(alone)
	if err != nil {
		return fmt.Errorf("encode record: %w", err)
	}
	if !bytes.Equal(have, want) {
		return fmt.Errorf("%w: %s was written by an older version, at %s, beside slots that were last written at %s; move away what is "+
			"not to be believed", ErrDamaged, j.alonePath(), alone.At, j.last.At)
	}
	kept := j.alonePath() + ".v1"
	if err := rename(j.alonePath(), kept); err != nil {
		return err
	}
	j.log.Info("the journal of an older version was taken over", "pool", j.pool, "epoch", alone.Epoch, "slots", j.slots.String(), "kept", kept)
	return nil
}
