package authority

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"holdfast/health"
)

// receiptsTail is how much of the history is read back: some hundred receipts of well below a kibibyte each.
const receiptsTail = 256 << 10

// Keep appends a receipt to the history of the pool.
func (j *Journal) Keep(r health.Receipt) error {
	if j.dir == "" {
		return nil
	}
	line, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("encode receipt: %w", err)
	}
	j.keeping.Lock()
	defer j.keeping.Unlock()
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

// Receipts returns the last receipts that Keep appended, oldest first, at most n. A line that a crash has torn is left out.
func (j *Journal) Receipts(n int) ([]health.Receipt, error) {
	if j.dir == "" {
		return nil, nil
	}
	f, err := os.Open(j.receiptsPath())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("open receipts: %w", err)
	}
	defer f.Close()
	tail, err := readTail(f, receiptsTail)
	if err != nil {
		return nil, fmt.Errorf("read receipts of %s: %w", j.receiptsPath(), err)
	}
	var receipts []health.Receipt
	for line := range bytes.Lines(tail) {
		var r health.Receipt
		if json.Unmarshal(line, &r) == nil {
			receipts = append(receipts, r)
		}
	}
	return receipts[max(0, len(receipts)-n):], nil
}

// readTail returns whole lines from the end of f.
func readTail(f *os.File, most int64) ([]byte, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	start := max(0, info.Size()-most)
	tail, err := io.ReadAll(io.NewSectionReader(f, start, info.Size()-start))
	if err != nil || start == 0 {
		return tail, err
	}
	_, rest, _ := bytes.Cut(tail, []byte("\n"))
	return rest, nil
}

// torn says that the last line has no end: a crash interrupted its writing, and the next must not be joined to it.
func torn(f *os.File) bool {
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		return false
	}
	var last [1]byte
	_, err = f.ReadAt(last[:], info.Size()-1)
	return err == nil && last[0] != '\n'
}

func (j *Journal) receiptsPath() string { return filepath.Join(j.dir, j.pool+".receipts.jsonl") }
