package peers

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// redisRig is a redis-server without anybody in front of it.
func redisRig(t *testing.T) *rig {
	t.Helper()
	r, err := startRig(t.Context(), recipes(Options{CopyProxy: []string{os.Args[0]}}), []string{direct})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.close)
	return r
}

// commandsSeen asks the server how many commands of a kind it has run.
func commandsSeen(t *testing.T, r *rig, command string) int {
	t.Helper()
	fd, err := dialBlocking(r.backend)
	if err != nil {
		t.Fatal(err)
	}
	file := os.NewFile(uintptr(fd), "redis")
	defer file.Close()
	if _, err := file.Write(encode("INFO", "commandstats")); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 64<<10)
	n, err := file.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	_, after, found := bytes.Cut(buf[:n], []byte("cmdstat_"+command+":calls="))
	if !found {
		return 0
	}
	digits, _, _ := bytes.Cut(after, []byte(","))
	calls, err := strconv.Atoi(string(digits))
	if err != nil {
		t.Fatalf("parse calls of %s: %v", command, err)
	}
	return calls
}

func open(t *testing.T, r *rig, conns int, ops ...operation) *loader {
	t.Helper()
	l, err := openLoader(r.backend, conns, ops...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.close)
	return l
}

func TestLoaderCountsWhatTheServerRan(t *testing.T) {
	r := redisRig(t)
	for name, run := range map[string]func(l *loader) error{
		"closed": func(l *loader) error { _, err := l.closed(30 * time.Millisecond); return err },
		"count":  func(l *loader) error { _, err := l.count(333); return err },
		"each":   func(l *loader) error { return l.each(3) },
		"open":   func(l *loader) error { return l.open(50*time.Millisecond, 4000) },
	} {
		l := open(t, r, 7, pipeline(4, get(smallBytes), set(smallBytes)), get(1<<20), set(1<<20))
		before := commandsSeen(t, r, "get") + commandsSeen(t, r, "set")
		if err := run(l); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got, want := l.commands, commandsSeen(t, r, "get")+commandsSeen(t, r, "set")-before
		if got != want || got < 7 {
			t.Errorf("%s: counted %d commands, the server ran %d", name, got, want)
		}
	}
}

func TestLoaderRefusesWrongReplies(t *testing.T) {
	r := redisRig(t)
	short, long := get(smallBytes), get(smallBytes)
	short.reply--
	long.reply++
	for name, c := range map[string]struct {
		op   operation
		want string
	}{
		"error reply":   {operation{request: encode("NOSUCH"), reply: 100, commands: 1}, "refused"},
		"reply longer":  {short, errGarbled.Error()},
		"line not over": {operation{request: encode("ECHO", "a"), reply: len("$1\r\na\r"), commands: 1}, errGarbled.Error()},
		"end of stream": {operation{request: encode("QUIT"), reply: 100, commands: 1}, errClosed.Error()},
	} {
		l := open(t, r, 1, c.op)
		if _, err := l.count(1); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

// TestOpenLoopChargesStalls freezes the server for a while: every request scheduled meanwhile must be late. A generator that
// waits for replies before it counts would see one late request per connection.
func TestOpenLoopChargesStalls(t *testing.T) {
	const rate, conns, stall = 2000, 4, 150 * time.Millisecond
	r := redisRig(t)
	l := open(t, r, conns, get(smallBytes))
	pid := r.redis.pid()
	wake := make(chan error, 1)
	time.AfterFunc(50*time.Millisecond, func() {
		if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
			wake <- err
			return
		}
		time.AfterFunc(stall, func() { wake <- syscall.Kill(pid, syscall.SIGCONT) })
	})
	if err := l.open(400*time.Millisecond, rate); err != nil {
		t.Fatal(err)
	}
	if err := <-wake; err != nil {
		t.Fatal(err)
	}
	if got, want := l.commands, rate*4/10; got != want {
		t.Errorf("requests: got %d, want %d", got, want)
	}
	late := 0
	for _, bar := range l.latency.Distribution() {
		if time.Duration(bar.From) > stall/3 {
			late += int(bar.Count)
		}
	}
	// Two thirds of those scheduled during the stall waited for longer than a third of it.
	if want := int(stall.Seconds()*rate) / 2; late < want {
		t.Errorf("late requests: got %d, want at least %d", late, want)
	}
}

func TestChurnCountsConnections(t *testing.T) {
	r := redisRig(t)
	before := commandsSeen(t, r, "ping")
	n, err := churn(r.backend, 30*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	if got := commandsSeen(t, r, "ping") - before; got != n || n == 0 {
		t.Errorf("made %d connections, the server answered %d", n, got)
	}
	if _, err := churn("127.0.0.1:1", time.Second); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("nobody there: got %v", err)
	}
}

func TestCPUNanosGrowsWithWork(t *testing.T) {
	r := redisRig(t)
	before, err := cpuNanos(r.redis.pid())
	if err != nil {
		t.Fatal(err)
	}
	l := open(t, r, 1, get(smallBytes))
	if _, err := l.count(2000); err != nil {
		t.Fatal(err)
	}
	after, err := cpuNanos(r.redis.pid())
	if err != nil {
		t.Fatal(err)
	}
	if perRequest := (after - before) / 2000; perRequest < 500 || perRequest > 500_000 {
		t.Errorf("cost of one GET: got %d ns", perRequest)
	}
	if _, err := cpuNanos(1 << 30); err == nil {
		t.Error("a process that is not there has no processor time")
	}
}

// TestRunSmoke is one whole small run with the contenders that need no package: the table and the samples must be there.
func TestRunSmoke(t *testing.T) {
	dir := t.TempDir()
	var table, progress bytes.Buffer
	err := Run(t.Context(), Options{
		CopyProxy: []string{os.Args[0], copyProxyArgument}, Out: dir, Quick: true, Rounds: 1, Rows: []string{"small-1", "churn"},
		Contenders: []string{copyProxy, direct}, Table: &table, Progress: &progress,
	})
	if err != nil {
		t.Fatalf("%v\n%s", err, &progress)
	}
	if got := table.String(); !strings.Contains(got, "not measured: no number of Holdfast") || !strings.Contains(got, " us") {
		t.Errorf("table: got\n%s", got)
	}
	files, err := filepath.Glob(filepath.Join(dir, "dataplane-*.json"))
	if err != nil || len(files) != 1 {
		t.Fatalf("results: got %v, %v", files, err)
	}
	data, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	var record Record
	if err := json.Unmarshal(data, &record); err != nil {
		t.Fatal(err)
	}
	if got, want := len(record.Samples), 4; got != want {
		t.Errorf("samples: got %d, want %d: %+v", got, want, record.Samples)
	}
	for _, s := range record.Samples {
		if s.Error != "" || s.Values["operations"] == 0 || (s.Contender == copyProxy) != (s.Values["cpu_ns"] > 0) {
			t.Errorf("sample %s of %s: got %v %s", s.Cell, s.Contender, s.Values, s.Error)
		}
	}
	if record.Sysctls["net.ipv4.tcp_congestion_control"] == "" || record.Versions["redis-server"] == "" || record.Machine["kernel"] == "" {
		t.Errorf("surroundings: got %v %v %v", record.Sysctls, record.Versions, record.Machine)
	}
}
