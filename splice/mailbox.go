package splice

import (
	"sync"
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// mailbox carries functions from any goroutine to the loop. It is for the control plane: a few posts per connection or route,
// never one per event. It has no bound of its own, because Post must neither block nor refuse a route; the callers are bounded.
//
// No wake-up is lost: a poster sets filled and then looks at asleep, the loop sets asleep and then looks at filled. One of the two
// sees the other.
type mailbox struct {
	wakefd int
	filled atomic.Bool // a function waits in posted
	asleep atomic.Bool // the loop is blocked, or about to be, and wants a poke

	mu     sync.Mutex // guards posted, closed, and the eventfd against being closed under a poke
	posted []func()
	closed bool

	spare []func() // the loop's: the array to swap in next
}

func (m *mailbox) post(fn func()) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return false
	}
	m.posted = append(m.posted, fn)
	m.filled.Store(true)
	if m.asleep.CompareAndSwap(true, false) {
		poke(m.wakefd)
	}
	return true
}

// close refuses all further posts. What was accepted stays for deliver.
func (m *mailbox) close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
}

func (m *mailbox) waiting() bool { return m.filled.Load() }

// fallAsleep announces that the loop is about to block. False means that mail has come in and it must not.
func (m *mailbox) fallAsleep() bool {
	m.asleep.Store(true)
	if !m.filled.Load() {
		return true
	}
	m.asleep.Store(false)
	return false
}

func (m *mailbox) wakeUp() { m.asleep.Store(false) }

// deliver runs what has been posted so far. What these functions post in turn is for the next time.
func (m *mailbox) deliver() {
	if !m.filled.Load() {
		return
	}
	m.mu.Lock()
	batch := m.posted
	m.posted = m.spare[:0]
	m.filled.Store(false)
	m.mu.Unlock()
	for i, fn := range batch {
		batch[i] = nil
		fn()
	}
	m.spare = batch
}

// poke ends a blocked wait. The eventfd is edge-triggered and never read: each write is an event, and 2^64 of them do not
// happen.
func poke(wakefd int) {
	one := uint64(1)
	_, _, _ = syscall.RawSyscall(unix.SYS_WRITE, uintptr(wakefd), uintptr(unsafe.Pointer(&one)), unsafe.Sizeof(one))
}
