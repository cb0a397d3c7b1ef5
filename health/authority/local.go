package authority

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"sync"

	"golang.org/x/sys/unix"
)

var (
	// ErrLocked is returned when another process uses the same state directory.
	ErrLocked = errors.New("the state directory is used by another process")
	// ErrDamaged is returned when a journal cannot be read back. It is never repaired by guessing.
	ErrDamaged = errors.New("the journal is damaged")
	// ErrLaterVersion is returned when a later version of Holdfast has written the journal. It is not touched.
	ErrLaterVersion = errors.New("the journal was written by a later version of Holdfast")
	// ErrBackwards is returned when an epoch would go back.
	ErrBackwards = errors.New("an epoch never goes back")
	// ErrPoolName is returned for a pool name that cannot be the name of a file.
	ErrPoolName = errors.New("a pool name consists of letters, digits, '-', '_' and '.'")
)

// poolName keeps names inside the state directory.
var poolName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$`)

// lockName is the file whose lock says that the directory is in use.
const lockName = "lock"

// Local is the authority of one node: whoever holds the lock of the state directory decides.
type Local struct {
	dir  string // empty: nothing is kept beyond this process
	lock *os.File
	log  *slog.Logger

	mu    sync.Mutex // guards pools
	pools map[string]*Journal
}

// Open takes the state directory, making it if need be. An empty dir keeps everything in memory, which is said in the log.
func Open(dir string, log *slog.Logger) (*Local, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	l := &Local{dir: dir, log: log, pools: make(map[string]*Journal)}
	if dir == "" {
		log.Warn("no state_dir is set: epochs and lineage are forgotten when this process ends, and a master that was swapped or " +
			"restarted meanwhile cannot be told from the right one")
		return l, nil
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("make state directory %s: %w", dir, err)
	}
	lock, err := os.OpenFile(filepath.Join(dir, lockName), os.O_RDWR|os.O_CREATE, 0o640)
	if err != nil {
		return nil, fmt.Errorf("open lock of state directory %s: %w", dir, err)
	}
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("lock state directory %s: %w", dir, lockError(err)), lock.Close())
	}
	l.lock = lock
	return l, nil
}

func lockError(err error) error {
	if errors.Is(err, unix.EWOULDBLOCK) {
		return ErrLocked
	}
	return err
}

// Pool opens the journal of a pool and reads what it remembers.
func (l *Local) Pool(name string) (*Journal, error) {
	if !poolName.MatchString(name) {
		return nil, fmt.Errorf("open journal of pool %q: %w", name, ErrPoolName)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if j, found := l.pools[name]; found {
		return j, nil
	}
	j := newJournal(l.dir, name, l.log)
	if err := j.load(); err != nil {
		return nil, errors.Join(err, j.close())
	}
	l.pools[name] = j
	return j, nil
}

// Close gives the directory up. The journals must not be used any more.
func (l *Local) Close() error {
	if l.lock == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	var errs []error
	for _, j := range l.pools {
		errs = append(errs, j.close())
	}
	return errors.Join(append(errs, l.lock.Close())...) // closing releases the lock
}
