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

	"holdfast/health"
)

// version is the format of the journal. Another number is refused, so that an older program never misreads a newer file.
const version = 1

// envelope is the journal as it is on disk: one line that says version and checksum, and the record.
type envelope struct {
	Version  int             `json:"version"`
	Checksum string          `json:"checksum"` // CRC-32C of Record, in hexadecimal
	Record   json.RawMessage `json:"record"`
}

// castagnoli is the polynomial that is computed in hardware; it never changes.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func checksum(record []byte) string {
	var compact bytes.Buffer
	if json.Compact(&compact, record) != nil {
		return ""
	}
	sum := crc32.Checksum(compact.Bytes(), castagnoli)
	return hex.EncodeToString([]byte{byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum)})
}

// encode turns a record into the content of a journal.
func encode(r health.Record) ([]byte, error) {
	record, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("encode record: %w", err)
	}
	text, err := json.MarshalIndent(envelope{Version: version, Checksum: checksum(record), Record: record}, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode journal: %w", err)
	}
	return append(text, '\n'), nil
}

// decode reads the content of a journal back. Everything that is not exactly what encode wrote is damage.
func decode(text []byte) (health.Record, error) {
	var e envelope
	if err := json.Unmarshal(text, &e); err != nil {
		return health.Record{}, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if e.Version != version {
		return health.Record{}, fmt.Errorf("%w: version %d instead of %d", ErrDamaged, e.Version, version)
	}
	if got := checksum(e.Record); got != e.Checksum || got == "" {
		return health.Record{}, fmt.Errorf("%w: checksum %s instead of %s", ErrDamaged, got, e.Checksum)
	}
	var r health.Record
	if err := json.Unmarshal(e.Record, &r); err != nil {
		return health.Record{}, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if r.Intent != nil && r.Intent.Epoch <= r.Epoch {
		return health.Record{}, fmt.Errorf("%w: intent of epoch %d beside epoch %d", ErrDamaged, r.Intent.Epoch, r.Epoch)
	}
	return r, nil
}

// replace writes a file so that a crash at any moment leaves the old or the new content, never a mixture, and returns when the new
// one is on disk if durable is set.
func replace(path string, content []byte, durable bool) error {
	temporary := path + ".new"
	f, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o640)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	_, err = f.Write(content)
	if err == nil && durable {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := os.Rename(temporary, path); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if durable {
		return syncDir(filepath.Dir(path))
	}
	return nil
}

// syncDir makes a rename durable.
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
