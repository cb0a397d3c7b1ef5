package splice

import (
	"bytes"
	"hash/crc32"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

func TestPipesArePooledAndBounded(t *testing.T) {
	l := newLoop(t, Options{PipesMax: 2})
	p := l.Pipes()
	a, b := p.Take(), p.Take()
	if a == nil || b == nil {
		t.Fatal("take: got nil, want two pipes")
	}
	if got := p.Take(); got != nil {
		t.Error("third of two: got a pipe, want nil")
	}
	p.Put(a)
	if got := p.Take(); got != a {
		t.Error("take after put: got another pipe, want the pooled one")
	}
	p.Put(a)
	p.Put(b)
	if got, want := p.Stats(), (PipeStats{Open: 2}); got != want {
		t.Errorf("stats: got %+v, want %+v", got, want)
	}
}

func TestPipeThatHoldsBytesIsNotPooled(t *testing.T) {
	l := newLoop(t, Options{})
	pipe := l.Pipes().Take()
	if _, err := unix.Write(pipe.w, []byte("secret of another connection")); err != nil {
		t.Fatal(err)
	}
	pipe.held = 28
	l.Pipes().Put(pipe)
	if got := l.Pipes().Stats(); got != (PipeStats{}) {
		t.Errorf("stats: got %+v, want none open", got)
	}
}

func TestMoverGivesItsPipeBackWhenReleased(t *testing.T) {
	h := newHop(t, "tcp", 64<<20, Options{})
	var work sync.WaitGroup
	work.Go(func() { _, _ = h.producer.Write(make([]byte, 64<<20)) }) // the end of the test cuts it short
	t.Cleanup(work.Wait)
	h.start()
	if s := h.await(DstFull); s.pipes.InUse != 1 {
		t.Errorf("while full: got %+v, want one pipe in use", s.pipes)
	}
	onLoop(t, h.loop, func() {
		h.over = true
		h.mover.Release(h.loop)
		if got := h.loop.Pipes().Stats(); got != (PipeStats{}) || h.mover.Pending() != 0 {
			t.Errorf("after release: got %+v with %d pending, want none", got, h.mover.Pending())
		}
		_ = h.producer.Close() // nobody will read the rest
	})
}

// An ordinary user may have 64 MiB of pipes. Root may have more, so the test starts itself again as a user whom nobody else is:
// the limit counts all processes of a user, and two runs of this test must not share it.
func TestUnprivilegedFallsBackToCopying(t *testing.T) {
	const child = "HOLDFAST_SPLICE_UNPRIVILEGED"
	if os.Getenv(child) != "" || os.Getuid() != 0 {
		testUnprivileged(t)
		return
	}
	cmd := exec.Command("/proc/self/exe", "-test.run=^TestUnprivilegedFallsBackToCopying$", "-test.v")
	cmd.Dir, cmd.Env = "/", append(os.Environ(), child+"=1", "TMPDIR=/tmp", "GOCOVERDIR=")
	user := uint32(1<<20 + os.Getpid())
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: user, Gid: user}}
	out, err := cmd.CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte("--- PASS")) {
		t.Errorf("as user %d: %v\n%s", user, err, out)
	}
	t.Log(strings.TrimSpace(string(out)))
}

func testUnprivileged(t *testing.T) {
	if pipeLimitsLifted() {
		t.Fatal("capabilities: got exempt from pipe limits, want an ordinary user")
	}
	var hoard []*Pipe
	defer func() {
		for _, p := range hoard {
			p.close()
		}
	}()
	for p := openPipe(1 << 20); p != nil; p = openPipe(1 << 20) {
		if hoard = append(hoard, p); len(hoard) > 512 {
			t.Fatalf("pipes of an ordinary user: got %d and no end", len(hoard))
		}
	}
	if len(hoard) == 0 {
		t.Fatal("pipes of this user: got none before the test took any; another process of the user holds them all")
	}
	t.Logf("%d pipes until the limit; a fresh one then has %d bytes", len(hoard), freshPipeBytes(t))
	h := newHop(t, "tcp", -1, Options{}).start()
	p := randomBytes(rand.New(rand.NewPCG(1, 2)), 8<<20)
	producing(t, h.producer, p, rand.New(rand.NewPCG(3, 4)))
	if sum, _ := consume(t, h.consumer, rand.New(rand.NewPCG(5, 6))); sum != crc32.ChecksumIEEE(p) {
		t.Error("delivered: not what was sent")
	}
	if got := h.await(EOF); got.spliced != 0 || got.pipes != (PipeStats{}) {
		t.Errorf("past the limit: got %+v, want nothing spliced and no pipe", got)
	}
}

func freshPipeBytes(t *testing.T) int {
	t.Helper()
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fds[0])
	defer unix.Close(fds[1])
	return must[int](t)(unix.FcntlInt(uintptr(fds[0]), unix.F_GETPIPE_SZ, 0))
}
