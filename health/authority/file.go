package authority

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"strconv"

	"holdfast/health"
)

const (
	// version is the format of what is written. A higher number is refused, so that an older program never misreads a newer file.
	version = 2
	// versionAlone is the format of the single file that was replaced with every write; its records have no number.
	versionAlone = 1
)

// envelope is a record as it is on disk: beside it are what tells that it is whole, and which of two is the newer one.
type envelope struct {
	Version  int             `json:"version"`
	Sequence uint64          `json:"sequence"` // 0: nothing was ever recorded
	Checksum string          `json:"checksum"` // CRC-32C of Sequence and Record, in hexadecimal
	Record   json.RawMessage `json:"record"`
}

// castagnoli is the polynomial that is computed in hardware; it never changes.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// sum is the checksum that the envelope should have; empty if the record is not JSON.
func (e envelope) sum() string {
	var covered bytes.Buffer
	if e.Version > versionAlone {
		covered.WriteString(strconv.FormatUint(e.Sequence, 10) + ":")
	}
	if json.Compact(&covered, e.Record) != nil {
		return ""
	}
	sum := crc32.Checksum(covered.Bytes(), castagnoli)
	return hex.EncodeToString([]byte{byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum)})
}

// encode turns a record into the text of a file, filled with blanks up to a multiple of size.
func encode(sequence uint64, record any, size int) ([]byte, error) {
	content, err := json.Marshal(record)
	if err != nil {
		return nil, fmt.Errorf("encode record: %w", err)
	}
	e := envelope{Version: version, Sequence: sequence, Record: content}
	e.Checksum = e.sum()
	text, err := json.MarshalIndent(e, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode journal: %w", err)
	}
	padding := size - 1 - len(text)%size
	return append(append(text, bytes.Repeat([]byte{' '}, padding)...), '\n'), nil
}

// decode reads the text of a file of that version back. Everything that is not exactly what encode wrote is damage.
func decode(text []byte, want int) (envelope, error) {
	var e envelope
	err := json.Unmarshal(text, &e)
	switch {
	case e.Version > want: // its other fields may have other types by then
		return e, fmt.Errorf("%w: version %d instead of %d", ErrLaterVersion, e.Version, want)
	case err != nil:
		return e, fmt.Errorf("%w: %w", ErrDamaged, err)
	case e.Version != want:
		return e, fmt.Errorf("%w: version %d instead of %d", ErrDamaged, e.Version, want)
	}
	if sum := e.sum(); e.Checksum != sum || sum == "" {
		return e, fmt.Errorf("%w: checksum %q instead of %q", ErrDamaged, e.Checksum, sum)
	}
	return e, nil
}

// recordOf is the record in an envelope that was decoded.
func recordOf(e envelope) (health.Record, error) {
	var r health.Record
	if err := json.Unmarshal(e.Record, &r); err != nil {
		return health.Record{}, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if r.Intent != nil && r.Intent.Epoch <= r.Epoch {
		return health.Record{}, fmt.Errorf("%w: intent of epoch %d beside epoch %d", ErrDamaged, r.Intent.Epoch, r.Epoch)
	}
	return r, nil
}

// create makes a file, or takes the place of one. A crash at any moment leaves the old or the whole new one; the new one is on disk
// when create returns nil. It is slow beside busy disks, because every step waits for the journal of the file system.
func create(path string, content []byte) error {
	temporary := path + ".new"
	f, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o640)
	if err != nil {
		return fmt.Errorf("make %s: %w", path, err)
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("make %s: %w", path, err)
	}
	return rename(temporary, path)
}

// rename gives a file another name, and returns when that is on disk.
func rename(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return fmt.Errorf("make %s: %w", to, err)
	}
	return syncDir(filepath.Dir(to))
}

// syncDir makes the names in a directory durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("sync %s: %w", dir, err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("sync %s: %w", dir, err)
	}
	return nil
}
