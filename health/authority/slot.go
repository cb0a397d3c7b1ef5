package authority

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// slot is one file that is overwritten in place. It is kept open, so that a write needs neither a descriptor nor room on the disk.
//
// Invariant: while the path names the file that was opened, a write allocates nothing; else it makes the file anew.
type slot struct {
	path string
	file *os.File    // nil: not opened yet, or given up after a failed write
	is   fs.FileInfo // the file that was opened last; nil: none
}

// open opens a file that exists.
func (s *slot) open() error {
	f, err := os.OpenFile(s.path, os.O_RDWR, 0)
	if err != nil {
		return err // it names the path
	}
	if s.is, err = f.Stat(); err != nil {
		return errors.Join(fmt.Errorf("stat %s: %w", s.path, err), f.Close())
	}
	s.file = f
	return nil
}

// read returns what is in the opened slot, when that is on disk: a process that was killed may have left there what no crash of the
// machine would have spared, and on such a ground the other slot must not be overwritten.
func (s *slot) read() ([]byte, error) {
	if err := s.file.Sync(); err != nil {
		return nil, fmt.Errorf("sync %s: %w", s.path, err)
	}
	text, err := io.ReadAll(io.NewSectionReader(s.file, 0, s.is.Size()))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", s.path, err)
	}
	return text, nil
}

// create makes the file of the slot, or puts another in its place. It is durable when nil is returned.
func (s *slot) create(text []byte) error {
	if err := errors.Join(s.close(), create(s.path, text)); err != nil {
		return err
	}
	return s.open()
}

// write overwrites the slot with text, which is at least as long as what was there, and returns when it is on disk if durable is
// set. After an error the slot may hold anything. The kernel may take pages that it could not write for written, so the file is
// opened again then, and the next write dirties all of it again.
func (s *slot) write(text []byte, durable bool) error {
	if now, err := os.Stat(s.path); err != nil || s.is == nil || !os.SameFile(now, s.is) {
		return s.create(text) // somebody has removed, moved or replaced it
	}
	if s.file == nil {
		if err := s.open(); err != nil {
			return err
		}
	}
	_, err := s.file.WriteAt(text, 0)
	if err == nil && durable {
		err = syncData(s.file)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", s.path, err), s.close())
	}
	return nil
}

// syncData waits for the content, not for times of the file: those alone would need the journal of the file system.
func syncData(f *os.File) error {
	for {
		if err := unix.Fdatasync(int(f.Fd())); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

func (s *slot) close() error {
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	s.file = nil
	return err
}
