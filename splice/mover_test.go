package splice

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// hop is a Mover between two links, served by a loop of its own:
//
//	producer -> src => Mover => dst -> consumer
type hop struct {
	t                  testing.TB
	loop               *Loop
	mover              Mover
	src, dst           int
	producer, consumer net.Conn
	stops              chan stop // every outcome but BudgetSpent
	over               bool
}

type stop struct {
	out     Outcome
	errno   syscall.Errno
	pending int64
	left    int64
	total   int64
	spliced int64
	pipes   PipeStats
}

const (
	srcToken = iota
	dstToken
)

func newHop(t testing.TB, network string, limit int64, o Options) *hop {
	t.Helper()
	h := &hop{t: t, loop: newLoop(t, o), stops: make(chan stop, 1<<16)}
	h.src, h.producer = link(t, network)
	h.dst, h.consumer = link(t, network)
	h.mover.Start(h.src, h.dst, limit)
	t.Cleanup(func() { // runs after the loop has ended
		h.mover.Release(h.loop)
		if got := h.loop.Pipes().Stats().InUse; got != 0 {
			t.Errorf("pipes in use at the end: got %d, want 0", got)
		}
		CloseFD(h.src)
		CloseFD(h.dst)
	})
	run(t, h.loop, h)
	return h
}

// start watches both sides, so that the loop runs the Mover from here on.
func (h *hop) start() *hop {
	onLoop(h.t, h.loop, func() {
		for tok, fd := range []int{srcToken: h.src, dstToken: h.dst} {
			if err := h.loop.Watch(fd, uint64(tok)); err != nil {
				h.t.Error(err)
			}
		}
	})
	return h
}

func (h *hop) OnTimer(uint64) {}

func (h *hop) OnEvent(uint64, Events) {
	if h.over {
		return
	}
	out, errno := h.mover.Run(h.loop)
	h.check(out)
	switch out {
	case BudgetSpent:
		h.loop.Defer(srcToken)
		return
	case EOF:
		_ = ShutdownWrite(h.dst)
		h.over = true
	case LimitReached, SrcFailed, DstFailed:
		h.over = true
	}
	s := stop{out: out, errno: errno, pending: h.mover.Pending(), left: h.mover.Left(), pipes: h.loop.Pipes().Stats()}
	s.total, s.spliced = h.mover.Moved()
	h.stops <- s
}

// check holds the Mover to its invariant after every Run.
func (h *hop) check(out Outcome) {
	m := &h.mover
	if holds := m.pipe != nil || m.rest != nil; holds != (m.Pending() > 0) || m.pipe != nil && m.rest != nil {
		h.t.Errorf("after %v: pipe %v, rest %v, pending %d", out, m.pipe, m.rest, m.Pending())
	}
	if pending := m.Pending() > 0; pending != (out == DstFull || out == DstFailed) {
		h.t.Errorf("after %v: %d pending", out, m.Pending())
	}
}

// await waits for one outcome and skips the others.
func (h *hop) await(want Outcome) stop {
	h.t.Helper()
	for {
		s := receive(h.t, h.stops, want.String())
		if s.out == want {
			return s
		}
		if s.out != SrcEmpty && s.out != DstFull {
			h.t.Fatalf("outcome: got %v (%v), want %v", s.out, s.errno, want)
		}
	}
}

func randomBytes(rng *rand.Rand, n int) []byte {
	p := make([]byte, n)
	for i := 0; i+8 <= n; i += 8 {
		v := rng.Uint64()
		for j := range 8 {
			p[i+j] = byte(v >> (8 * j))
		}
	}
	return p
}

// consume reads to the end in chunks of random size and returns the checksum and the count. Small chunks make a slow reader.
func consume(t testing.TB, c net.Conn, rng *rand.Rand) (uint32, int) {
	sum, n := crc32.NewIEEE(), 0
	buf := make([]byte, 64<<10)
	for {
		got, err := c.Read(buf[:1+rng.IntN(len(buf))])
		_, _ = sum.Write(buf[:got])
		n += got
		if err == io.EOF {
			return sum.Sum32(), n
		}
		if err != nil {
			t.Errorf("consume after %d bytes: %v", n, err)
			return 0, n
		}
	}
}

// produce writes in chunks of random size and then ends the stream.
func produce(t testing.TB, c net.Conn, p []byte, rng *rand.Rand) {
	for len(p) > 0 {
		n := min(len(p), 1+rng.IntN(1<<(4+rng.IntN(17))))
		if _, err := c.Write(p[:n]); err != nil {
			t.Errorf("produce: %v", err)
			return
		}
		p = p[n:]
	}
	if err := c.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		t.Errorf("produce: %v", err)
	}
}

// producing produces beside the test and is awaited before anything of the test is torn down.
func producing(t testing.TB, c net.Conn, p []byte, rng *rand.Rand) {
	var work sync.WaitGroup
	work.Go(func() { produce(t, c, p, rng) })
	t.Cleanup(work.Wait)
}

func TestMoverDeliversEveryByte(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	for _, network := range []string{"tcp", "unix"} {
		for _, pipes := range []int{pipesMaxDefault, -1} {
			for round := range 6 {
				rng := rand.New(rand.NewPCG(seed, uint64(round)))
				size := []int{0, 1, 100, 300 << 10, 1 << 20, 8 << 20}[round]
				if size > 1 {
					size = 1 + rng.IntN(size)
				}
				t.Run(fmt.Sprintf("%s/pipes=%d/%d", network, pipes, size), func(t *testing.T) {
					h := newHop(t, network, -1, Options{PipesMax: pipes}).start()
					p := randomBytes(rng, size)
					producer := rand.New(rand.NewPCG(seed, rng.Uint64()))
					producing(t, h.producer, p, producer)
					sum, n := consume(t, h.consumer, rng)
					if n != size || sum != crc32.ChecksumIEEE(p) {
						t.Errorf("delivered: got %d bytes with sum %x, want %d with %x", n, sum, size, crc32.ChecksumIEEE(p))
					}
					s := h.await(EOF)
					if s.total != int64(size) || s.pending != 0 || s.left != -1 || s.pipes.InUse != 0 {
						t.Errorf("at the end: got %+v, want total %d and nothing pending", s, size)
					}
				})
			}
		}
	}
}

func TestMoverStopsExactlyAtTheLimit(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, limit := range []int{0, 1, 100, bigRead - 1, bigRead, 1<<20 + 1, 5 << 20} {
		for _, pipes := range []int{pipesMaxDefault, -1} {
			t.Run(fmt.Sprintf("%d/pipes=%d", limit, pipes), func(t *testing.T) {
				h := newHop(t, "tcp", int64(limit), Options{PipesMax: pipes}).start()
				body, next := randomBytes(rng, limit), []byte("+NEXT\r\n")
				producing(t, h.producer, append(bytes.Clone(body), next...), rand.New(rand.NewPCG(3, 4)))
				got := make([]byte, limit)
				if _, err := io.ReadFull(h.consumer, got); err != nil || !bytes.Equal(got, body) {
					t.Fatalf("body: not what was sent, %v", err)
				}
				s := h.await(LimitReached)
				if s.left != 0 || s.pending != 0 || s.total != int64(limit) {
					t.Errorf("at the limit: got %+v", s)
				}
				if limit >= bigRead && pipes > 0 && s.spliced == 0 {
					t.Error("a known limit this large: got copies only, want splices from the first read")
				}
				awaitFD(t, h.src, unix.POLLIN)
				rest := make([]byte, 100)
				if n, errno := Recv(h.src, rest); errno != 0 || !bytes.Equal(rest[:n], next) {
					t.Errorf("after the limit: got %q, %v, want %q", rest[:n], errno, next)
				}
			})
		}
	}
}

func TestMoverEndsBeforeTheLimit(t *testing.T) {
	h := newHop(t, "tcp", 1000, Options{}).start()
	produce(t, h.producer, make([]byte, 400), rand.New(rand.NewPCG(1, 1)))
	if s := h.await(EOF); s.left != 600 || s.total != 400 {
		t.Errorf("at the end: got %+v, want 600 left", s)
	}
}

// The last bytes of a machine that died are data like any other, even if the reader is slow to take them.
func TestMoverDeliversWhatCameBeforeAReset(t *testing.T) {
	for _, limit := range []int64{-1, 64 << 20} {
		t.Run(fmt.Sprint("limit=", limit), func(t *testing.T) {
			h := newHop(t, "tcp", limit, Options{})
			p := randomBytes(rand.New(rand.NewPCG(5, 6)), 100<<10)
			before := stuff(t, h.dst)
			arrive(t, h.producer, h.src, p)
			if err := h.producer.(*net.TCPConn).SetLinger(0); err != nil {
				t.Fatal(err)
			}
			_ = h.producer.Close()
			awaitFD(t, h.src, unix.POLLHUP)
			h.start().await(DstFull)
			got := make([]byte, before+len(p))
			if _, err := io.ReadFull(h.consumer, got); err != nil || !bytes.Equal(got[before:], p) {
				t.Errorf("before the reset: not the %d bytes that had arrived, %v", len(p), err)
			}
			if s := h.await(SrcFailed); s.errno != syscall.ECONNRESET || s.total != int64(len(p)) || s.pending != 0 {
				t.Errorf("got %+v, want %v after %d bytes", s, syscall.ECONNRESET, len(p))
			}
		})
	}
}

// stuff fills a socket until it takes no more and returns how much it took. The kernel paces what it sends and moves bytes on
// meanwhile, so only a socket that stays full counts, and its buffer must not grow by itself.
func stuff(t *testing.T, fd int) int {
	t.Helper()
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, 64<<10); err != nil {
		t.Fatal(err)
	}
	total, quiet, junk := 0, 0, make([]byte, 64<<10)
	full := becomes(func() bool {
		n, _ := Send(fd, junk)
		if total += n; n > 0 {
			quiet = 0
		}
		quiet++
		return quiet > 100
	})
	if !full {
		t.Fatalf("stuff: took %d bytes and is not full", total)
	}
	return total
}

// arrive sends p and waits until all of it lies in the receiver's buffer and is acknowledged.
func arrive(t *testing.T, c net.Conn, receiver int, p []byte) {
	t.Helper()
	if _, err := c.Write(p); err != nil {
		t.Fatal(err)
	}
	raw := must[syscall.RawConn](t)(c.(*net.TCPConn).SyscallConn())
	var unsent, arrived int
	settled := becomes(func() bool {
		_ = raw.Control(func(fd uintptr) { unsent, _ = unix.IoctlGetInt(int(fd), unix.SIOCOUTQ) })
		arrived, _ = unix.IoctlGetInt(receiver, unix.SIOCINQ)
		return unsent == 0 && arrived == len(p)
	})
	if !settled {
		t.Fatalf("send %d bytes: arrived %d, unsent %d", len(p), arrived, unsent)
	}
}

func TestMoverResumesWhenTheDestinationHasRoom(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		for _, pipes := range []int{pipesMaxDefault, -1} {
			t.Run(fmt.Sprintf("%s/pipes=%d", network, pipes), func(t *testing.T) {
				h := newHop(t, network, -1, Options{PipesMax: pipes}).start()
				rng := rand.New(rand.NewPCG(7, 8))
				p := randomBytes(rng, 32<<20)
				producing(t, h.producer, p, rand.New(rand.NewPCG(9, 10)))
				s := h.await(DstFull) // nobody reads yet
				if s.pending == 0 || s.pending > 1<<20 {
					t.Errorf("pending while full: got %d, want 1 to 1 MiB", s.pending)
				}
				sum, n := consume(t, h.consumer, rng)
				if n != len(p) || sum != crc32.ChecksumIEEE(p) {
					t.Errorf("delivered: got %d bytes with sum %x, want %d", n, sum, len(p))
				}
				s = h.await(EOF)
				// How much depends on how fast a random producer comes by; nothing at all would be wrong.
				if pipes > 0 && network == "tcp" && s.spliced < s.total/16 {
					t.Errorf("bulk: got %d of %d bytes spliced, want a good part", s.spliced, s.total)
				}
				if pipes < 0 && s.spliced != 0 {
					t.Errorf("without pipes: got %d bytes spliced, want 0", s.spliced)
				}
			})
		}
	}
}

func TestMoverTellsABrokenDestinationEveryTime(t *testing.T) {
	h := newHop(t, "tcp", -1, Options{})
	_ = h.consumer.(*net.TCPConn).SetLinger(0)
	_ = h.consumer.Close()
	awaitFD(t, h.dst, unix.POLLHUP)
	if _, err := h.producer.Write([]byte("lost")); err != nil {
		t.Fatal(err)
	}
	awaitFD(t, h.src, unix.POLLIN)
	onLoop(t, h.loop, func() {
		for range 3 {
			out, errno := h.mover.Run(h.loop)
			if out != DstFailed || errno != syscall.ECONNRESET || h.mover.Pending() != 4 {
				t.Errorf("got %v, %v, %d pending, want %v, %v, 4", out, errno, h.mover.Pending(), DstFailed, syscall.ECONNRESET)
			}
		}
	})
}

func TestMoverCopiesSmallMessages(t *testing.T) {
	h := newHop(t, "tcp", -1, Options{}).start()
	msg := make([]byte, 2000)
	for range 200 {
		if _, err := h.producer.Write(msg); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(h.consumer, msg); err != nil {
			t.Fatal(err)
		}
	}
	onLoop(t, h.loop, func() {
		if total, spliced := h.mover.Moved(); total != 200*2000 || spliced != 0 {
			t.Errorf("moved: got %d, %d spliced, want 400000 and 0", total, spliced)
		}
		if got := h.loop.Pipes().Stats(); got != (PipeStats{}) {
			t.Errorf("pipes: got %+v, want none ever opened", got)
		}
	})
}

// A short read may be trusted only until the peer ends: the caller's part of the bargain, shown at work.
func TestTrustedShortReadNeedsNoSecondRead(t *testing.T) {
	h := newHop(t, "tcp", -1, Options{})
	if _, err := h.producer.Write([]byte("last words")); err != nil {
		t.Fatal(err)
	}
	if err := h.producer.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	awaitFD(t, h.src, unix.POLLRDHUP)
	onLoop(t, h.loop, func() {
		h.mover.TrustShortReads(true)
		if out, _ := h.mover.Run(h.loop); out != SrcEmpty {
			t.Errorf("trusting: got %v, want %v", out, SrcEmpty)
		}
		h.mover.TrustShortReads(false)
		if out, _ := h.mover.Run(h.loop); out != EOF {
			t.Errorf("not trusting: got %v, want %v", out, EOF)
		}
	})
}
