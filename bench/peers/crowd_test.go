package peers

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// ownProxy makes this test binary a contender.
func ownProxy(p place, _ string) []string { return []string{copyProxyArgument, p.listen, p.backend} }

// TestOrdinaryUserWithoutPipes starts a contender as another user, beside a process that leaves that user no pipes. Who is not
// root is such a user himself, and can only be shown the pipes.
func TestOrdinaryUserWithoutPipes(t *testing.T) {
	user := uint32(1<<20 + os.Getpid()) // nobody else is, so that nobody else's pipes count
	hold := []string{OwnProgram, holdPipesArgument}
	if os.Geteuid() != 0 {
		testHeldPipes(t, 0, hold, 0)
		return
	}
	lent := recipe{name: ordinaryUser, program: OwnProgram, args: ownProxy, user: user, crowd: hold}
	r, err := startRig(t.Context(), []recipe{lent}, []string{ordinaryUser})
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	target := r.find(ordinaryUser)
	if target.fault != nil {
		t.Fatal(target.fault)
	}
	if got, want := userOf(t, target.proc.pid()), strconv.Itoa(int(user)); got != want {
		t.Errorf("user of the proxy: got %s, want %s", got, want)
	}
	if l := openThrough(t, target.address, get(1<<20)); l.commands != 3 {
		t.Errorf("requests through it: got %d, want 3", l.commands)
	}
	// One pipe tells the second process that there is nothing left: it holds just that one, which is short.
	testHeldPipes(t, user, hold, 1)
}

// testHeldPipes has a process hold what is left and compares their number; want 0 is any number.
func testHeldPipes(t *testing.T, user uint32, hold []string, want int) {
	t.Helper()
	log := filepath.Join(t.TempDir(), "log")
	c, err := startCrowd(t.Context(), user, log, hold)
	if err != nil {
		t.Fatal(err)
	}
	defer c.end()
	data, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	_, digits, _ := bytes.Cut(bytes.TrimSpace(data), []byte(crowdHolds))
	got, err := strconv.Atoi(string(digits))
	if err != nil || got == 0 || (want != 0 && got != want) {
		t.Errorf("pipes held: got %q, want %d", data, want)
	}
}

func TestCrowdThatCannotBe(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	if _, err := startCrowd(t.Context(), 0, log, []string{OwnProgram, copyProxyArgument, "nowhere", "nowhere"}); !errors.Is(err, errEnded) {
		t.Errorf("a process that ends at once: got %v, want %v", err, errEnded)
	}
	r := recipe{name: ordinaryUser, program: "/nonexistent/holdfast", user: 1}
	if r.permitted() != (os.Geteuid() == 0) {
		t.Errorf("permitted: got %v for user %d", r.permitted(), os.Geteuid())
	}
}

// TestVariantThatFailsIsNotTheEnd: one that cannot be started is a fault in its rows, not the end of the run.
func TestVariantThatFailsIsNotTheEnd(t *testing.T) {
	broken := recipe{name: overUnix, program: OwnProgram, unix: true, args: ownProxy} // its proxy knows TCP only
	r, err := startRig(t.Context(), []recipe{broken, {name: direct}}, []string{overUnix, direct})
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	b := &bench{options: Options{Progress: &bytes.Buffer{}}, book: &book{rounds: 1}, record: &Record{}, rows: rows()}
	for _, target := range r.targets {
		c := cell{name: cellSmall1, conns: 1, ops: smallOps, blocks: 1, measure: measureClosed}
		b.settings.Block = 5 * time.Millisecond
		if err := b.measure(t.Context(), 0, c, r, target); err != nil {
			t.Fatal(err)
		}
	}
	if got := b.book.judge(rowNamed(t, "unix-1")); !strings.Contains(got.WhyAbsent, overUnix) {
		t.Errorf("got %q, want a word about %s", got.WhyAbsent, overUnix)
	}
	if _, ok := b.book.at(cellSmall1, direct, "p50_us", 0); !ok {
		t.Error("nothing was measured without it")
	}
}

// TestLoaderOverUnixSocket sends more than a unix socket takes at once, so that the loader has to wait for room.
func TestLoaderOverUnixSocket(t *testing.T) {
	dir := t.TempDir()
	r := &rig{backend: unixPrefix + filepath.Join(dir, "s")}
	var err error
	r.redis, err = startChild("redis-server", filepath.Join(dir, "log"), nil, "redis-server", "--port", "0", "--save", "",
		"--unixsocket", strings.TrimPrefix(r.backend, unixPrefix), "--dir", dir)
	if err != nil {
		t.Fatal(err)
	}
	defer r.redis.end()
	if err := r.redis.awaitAnswer(t.Context(), r.backend); err != nil {
		t.Fatal(err)
	}
	if err := r.fill(); err != nil {
		t.Fatal(err)
	}
	l := open(t, r, 3, set(1<<20), get(1<<20), get(smallBytes))
	before := commandsSeen(t, r, "get") + commandsSeen(t, r, "set")
	if _, err := l.count(60); err != nil {
		t.Fatal(err)
	}
	if got, want := l.commands, commandsSeen(t, r, "get")+commandsSeen(t, r, "set")-before; got != want || got < 60 {
		t.Errorf("counted %d commands, the server ran %d", got, want)
	}
	if err := ping(unixPrefix + "/nonexistent"); err == nil {
		t.Error("ping of a socket that is not there: got no error")
	}
}

// TestHoldfastListensWhereItIsTold looks at the one difference between the configurations.
func TestHoldfastListensWhereItIsTold(t *testing.T) {
	r := &rig{dir: t.TempDir(), backend: "127.0.0.1:6379"}
	for i, recipe := range recipes(Options{Holdfast: "holdfast", CopyProxy: []string{"copy"}})[:2] {
		p, err := r.place(recipe, i)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := strings.Contains(recipe.config(p), `listen = ["unix:`+r.dir), recipe.name == overUnix; got != want {
			t.Errorf("%s: got\n%s", recipe.name, recipe.config(p))
		}
	}
}

func userOf(t *testing.T, pid int) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := bytes.Cut(data, []byte("\nUid:\t"))
	user, _, _ := bytes.Cut(after, []byte("\t"))
	return string(user)
}

func openThrough(t *testing.T, address string, op operation) *loader {
	t.Helper()
	l, err := openLoader(address, 1, op)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.close)
	if _, err := l.count(3); err != nil {
		t.Fatal(err)
	}
	return l
}
