package splice

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// Events is what epoll said about one descriptor. 0 means that the owner asked for the call with Defer.
type Events uint32

// PeerClosed and Broken say nothing about the bytes that came before them: those are still to be read.
const (
	Readable   Events = unix.EPOLLIN
	Writable   Events = unix.EPOLLOUT
	PeerClosed Events = unix.EPOLLRDHUP
	Broken     Events = unix.EPOLLERR | unix.EPOLLHUP
)

// Handler owns the descriptors of one loop. Every call comes from the goroutine inside Run.
//
// A token may arrive after its descriptor was closed, because events are fetched in batches and timers are not cancelled.
// Owners put a generation into the token and ignore what is stale.
type Handler interface {
	OnEvent(tok uint64, ev Events)
	OnTimer(tok uint64)
}

// Finisher is a Handler that wants to know when a turn of the loop ends: everything that was ready has been handled, and the
// loop is about to wait.
type Finisher interface{ OnPassEnd() }

// Options of a loop. Zero values take the default; PipesMax below zero means that the loop never splices.
type Options struct {
	ScratchBytes int
	EventsMax    int
	PipesMax     int
}

const (
	// scratchBytesDefault, in bytes: a read of 256 KiB moves bulk 4.6 times cheaper than one of 16 KiB. Above the size of the
	// second level cache the gain is gone; below 64 KiB the system calls dominate.
	scratchBytesDefault = 256 << 10

	// eventsMaxDefault, in events per wait: more only delays timers and mail, fewer cost another wait when the loop is busy.
	eventsMaxDefault = 256

	// wakeToken marks the loop's own eventfd. Watch refuses it.
	wakeToken = ^uint64(0)
)

// ErrReservedToken is returned when a caller wants to watch with the token that belongs to the loop.
var ErrReservedToken = errors.New("token is reserved for the loop")

// Loop waits for events and hands them to its Handler, one at a time.
//
// One pass: wait -> events -> deferred of the pass before -> timers -> mail. Whatever a callback defers or posts is for the
// next pass, so that no owner can starve another.
type Loop struct {
	epfd      int
	wakefd    int
	events    []unix.EpollEvent
	scratch   []byte // mapped outside the heap: never scanned, never moved
	lastBatch int    // events of the last wait; above 1 the loop polls before it blocks
	yielded   int64  // when the Go scheduler last had the goroutine

	clock    clock
	now      int64
	timers   timerHeap
	deferred []uint64 // for the next pass, in order
	running  []uint64 // what the pass before has deferred; swaps with deferred to keep both arrays

	finisher Finisher // the handler of Run, if it is one
	pipes    Pipes
	mail     mailbox
	stopping atomic.Bool
}

// NewLoop prepares a loop. It starts nothing; Close frees what it holds.
func NewLoop(o Options) (*Loop, error) {
	o = o.withDefaults()
	l := &Loop{epfd: -1, wakefd: -1, events: make([]unix.EpollEvent, o.EventsMax), clock: newClock()}
	l.now = l.clock.read()
	l.pipes.init(o.PipesMax)
	if err := l.open(o.ScratchBytes); err != nil {
		return nil, errors.Join(fmt.Errorf("open event loop: %w", err), l.Close())
	}
	l.mail.wakefd = l.wakefd
	return l, nil
}

// Run serves events until ctx is done and then returns the cause of ctx. Functions whose Post was accepted have run by then.
// A loop runs once.
func (l *Loop) Run(ctx context.Context, h Handler) error {
	settle := l.wakeWhenDone(ctx)
	defer settle()
	l.finisher, _ = h.(Finisher)
	var failed error
	for failed == nil && !l.stopping.Load() {
		failed = l.pass(h)
	}
	l.mail.close()
	l.mail.deliver()
	if l.finisher != nil {
		l.finisher.OnPassEnd()
	}
	if failed != nil {
		return fmt.Errorf("wait for events: %w", failed)
	}
	return context.Cause(ctx)
}

// Close frees the loop. It is called after Run has returned, or instead of Run. Pipes that are still taken stay with their
// owners.
func (l *Loop) Close() error {
	l.mail.close()
	l.pipes.close()
	var errs []error
	for _, fd := range []*int{&l.epfd, &l.wakefd} {
		if *fd >= 0 {
			errs = append(errs, unix.Close(*fd))
			*fd = -1
		}
	}
	if l.scratch != nil {
		errs = append(errs, unix.Munmap(l.scratch))
		l.scratch = nil
	}
	return errors.Join(errs...)
}

// Post has fn run on the loop soon. It may be called from any goroutine, also from the loop's own. True promises that fn
// runs, even if the loop is told to end before; false means that the loop has ended.
func (l *Loop) Post(fn func()) bool { return l.mail.post(fn) }

// Watch registers fd for reading, writing and closing, edge-triggered and for good: closing fd ends it. The first event comes
// at once and shows the present state.
func (l *Loop) Watch(fd int, tok uint64) error {
	if tok == wakeToken {
		return fmt.Errorf("watch descriptor %d: %w", fd, ErrReservedToken)
	}
	return l.register(fd, tok, unix.EPOLLIN|unix.EPOLLOUT|unix.EPOLLRDHUP)
}

// Unwatch forgets a descriptor that lives on elsewhere. An event already fetched may still arrive.
func (l *Loop) Unwatch(fd int) error {
	if err := unix.EpollCtl(l.epfd, unix.EPOLL_CTL_DEL, fd, nil); err != nil {
		return fmt.Errorf("unwatch descriptor %d: %w", fd, err)
	}
	return nil
}

// Defer calls OnEvent(tok, 0) in the next pass, after the events that have come in by then. Each call counts once: an owner
// defers only what is not deferred already, which bounds the list by the number of descriptors.
func (l *Loop) Defer(tok uint64) { l.deferred = append(l.deferred, tok) }

// Now is CLOCK_MONOTONIC in nanoseconds, read once per pass. Loops of one process agree on it.
func (l *Loop) Now() int64 { return l.now }

// Clock is the same clock, read now. It may be far ahead of Now: a thread can lose its processor in the middle of a pass.
func (l *Loop) Clock() int64 { return l.clock.read() }

// Scratch is the loop's one large buffer. Its content is worthless after the callback, and after any Mover.Run within it.
func (l *Loop) Scratch() []byte { return l.scratch }

// After calls OnTimer(tok) no earlier than d from now and about a millisecond late on an idle loop. There is no cancelling:
// owners ignore the tokens they no longer want.
func (l *Loop) After(d time.Duration, tok uint64) {
	l.timers.push(timer{at: l.clock.read() + int64(d), tok: tok})
}

// Pipes is the loop's pool of pipes.
func (l *Loop) Pipes() *Pipes { return &l.pipes }

func (o Options) withDefaults() Options {
	if o.ScratchBytes <= 0 {
		o.ScratchBytes = scratchBytesDefault
	}
	if o.EventsMax <= 0 {
		o.EventsMax = eventsMaxDefault
	}
	if o.PipesMax == 0 {
		o.PipesMax = pipesMaxDefault
	}
	return o
}

func (l *Loop) open(scratchBytes int) (err error) {
	if l.epfd, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return err
	}
	if l.wakefd, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		return err
	}
	if l.scratch, err = unix.Mmap(-1, 0, scratchBytes, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON); err != nil {
		return err
	}
	return l.register(l.wakefd, wakeToken, unix.EPOLLIN)
}

func (l *Loop) register(fd int, tok uint64, events uint32) error {
	ev := unix.EpollEvent{Events: events | unix.EPOLLET, Fd: int32(uint32(tok)), Pad: int32(uint32(tok >> 32))}
	if err := unix.EpollCtl(l.epfd, unix.EPOLL_CTL_ADD, fd, &ev); err != nil {
		return fmt.Errorf("watch descriptor %d: %w", fd, err)
	}
	return nil
}

// wakeWhenDone arranges that the end of ctx ends the loop. The function it returns waits until nobody can touch the eventfd
// any more: a late write would land in whatever descriptor has its number by then.
func (l *Loop) wakeWhenDone(ctx context.Context) func() {
	woken := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(woken)
		l.stopping.Store(true)
		poke(l.wakefd)
	})
	return func() {
		if !stop() {
			<-woken
		}
	}
}

// pass is one turn of the loop.
func (l *Loop) pass(h Handler) error {
	l.running, l.deferred = l.deferred, l.running[:0]
	n, err := l.wait()
	l.now = l.clock.read()
	l.dispatch(h, n)
	for _, tok := range l.running {
		h.OnEvent(tok, 0)
	}
	for len(l.timers) > 0 && l.timers[0].at <= l.now {
		h.OnTimer(l.timers.pop().tok)
	}
	l.mail.deliver()
	if l.finisher != nil {
		l.finisher.OnPassEnd()
	}
	return err
}

func (l *Loop) dispatch(h Handler, n int) {
	for i := range n {
		ev := &l.events[i]
		tok := uint64(uint32(ev.Fd)) | uint64(uint32(ev.Pad))<<32
		if tok != wakeToken {
			h.OnEvent(tok, Events(ev.Events))
		}
	}
}
