package load

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// stall is how long the server stands still in the tests of the schedule.
const stall = time.Second

// TestEveryRequestDueInAStallIsCharged is what the generator is for: a server that stands still for a second shows in the
// latency of each request that was due in that second, as long as it had to wait, and not only in those that were under way.
func TestEveryRequestDueInAStallIsCharged(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	o := small(s.address)
	o.Duration = 2500 * time.Millisecond
	r, below := stalled(t, s, o)
	// 1000 are due within the second; those of its first half wait for more than half of it.
	if got := float64(r.Latency.Count) * (1 - below(stall/2)); got < 450 || got > 1600 {
		t.Errorf("got %.0f requests that waited for more than %s, want about 500", got, stall/2)
	}
	if got := float64(r.Latency.Count) * (1 - below(50*time.Millisecond)); got < 900 {
		t.Errorf("got %.0f requests that waited for more than 50 ms, want about 950", got)
	}
	if r.Latency.Max < 950 {
		t.Errorf("got a longest wait of %.0f ms, want about %s", r.Latency.Max, stall)
	}
	if r.Answered != 2500 || r.Scheduled != 2500 {
		t.Errorf("got %d of %d answered, want all 2500", r.Answered, r.Scheduled)
	}
	longest := 0.0
	for _, p := range r.Series {
		longest = max(longest, p.Waiting)
	}
	if longest < 800 {
		t.Errorf("got a longest waiting of %.0f ms in the series, want to see the stall while it lasts", longest)
	}
}

// TestClosedLoopHidesTheStallAndSaysSo shows the difference: the same stall, and only the requests under way notice.
func TestClosedLoopHidesTheStallAndSaysSo(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	o := small(s.address)
	o.Rate, o.Closed, o.Duration = 0, true, 2*time.Second
	r, below := stalled(t, s, o)
	if got := float64(r.Latency.Count) * (1 - below(stall/2)); got > 20 {
		t.Errorf("got %.0f slow requests, want no more than the 10 connections had under way", got)
	}
	var table, page bytes.Buffer
	if err := errors.Join(r.WriteTable(&table), r.WritePage(&page)); err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"table": table.String(), "page": page.String(), "json": string(data)} {
		if !strings.Contains(text, "closed loop") {
			t.Errorf("the %s does not say that the loop was closed", name)
		}
	}
}

// stalled runs a load and freezes the server half a second into it. below tells which part of all stayed below a latency.
func stalled(t *testing.T, s *server, o Options) (r Result, below func(time.Duration) float64) {
	t.Helper()
	first, points := make(chan struct{}), 0
	o.Progress = func(Point) {
		if points++; points == 1 {
			close(first)
		}
	}
	done := make(chan struct{})
	go freezeOnce(s, first, done) // awaited below
	r = mustRun(t, o)
	<-done
	return r, func(limit time.Duration) float64 {
		part := 0.0
		for _, q := range r.Latency.Quantiles {
			if q.Millis <= inMillis(limit) {
				part = q.Part
			}
		}
		return part
	}
}

func freezeOnce(s *server, first <-chan struct{}, done chan<- struct{}) {
	defer close(done)
	<-first
	s.signal(syscall.SIGSTOP)
	after(stall, func() { s.signal(syscall.SIGCONT) })()
}

// TestEachKindIsAnswered runs all kinds, with churn and idle connections, and looks at what is left behind.
func TestEachKindIsAnswered(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	o := small(s.address)
	for k := range o.Mix {
		o.Mix[k] = 1
	}
	o.Churn, o.Idle, o.Threads, o.WarmUp = 40, 20, 2, 200*time.Millisecond
	r := mustRun(t, o)
	if r.ErrorsTotal != 0 || r.Answered != r.Scheduled || r.Answered < 995 || r.Answered > 1005 {
		t.Errorf("got %d of %d answered, errors %v, want all 1000", r.Answered, r.Scheduled, r.Errors)
	}
	var sum int64
	for kind, l := range r.Kinds {
		sum += l.Count
		if l.Count < 60 || l.Max <= 0 {
			t.Errorf("%s: got %d answers, want an eighth of 1000", kind, l.Count)
		}
	}
	if sum != r.Answered {
		t.Errorf("got %d answers by kind, want %d", sum, r.Answered)
	}
	// The last ones may be on their way when the thread that waits for them ends before the one that sent them.
	if got, want := r.Deliveries["pubsub"].Count, feeders*r.Kinds["pubsub"].Count; got < want*7/10 || got > want {
		t.Errorf("got %d messages delivered, want nearly all of %d", got, want)
	}
	if got, want := r.Deliveries["blocking"].Count, r.Kinds["blocking"].Count; got < want*7/10 || got > want {
		t.Errorf("got %d jobs delivered, want nearly all of %d", got, want)
	}
	if r.Replaced < 35 || r.Connects == nil || r.Connects.Count < r.Replaced-2 || r.Disconnects != 0 || r.IdleLost != 0 {
		t.Errorf("got %d connections replaced, %d disconnects, %d idle lost, want some 45, 0, 0", r.Replaced, r.Disconnects, r.IdleLost)
	}
	if got := s.keys(); got != 0 {
		t.Errorf("got %d keys left, want none", got)
	}
}

// TestKeysExpire looks at a run that could not, or should not, remove what it wrote.
func TestKeysExpire(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	o := small(s.address)
	for k := range o.Mix {
		o.Mix[k] = 1
	}
	o.Keep = true
	mustRun(t, o)
	info := s.ask("INFO keyspace")
	var keys, expires int
	_, line, _ := strings.Cut(info, "db0:")
	if _, err := sscan(line, &keys, &expires); err != nil || keys < 100 || keys != expires {
		t.Errorf("got %q, want some keys, and each of them to expire", info)
	}
}

// TestDeadServerIsCountedByClass kills the server in the middle and starts it again.
func TestDeadServerIsCountedByClass(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	o := small(s.address)
	o.Duration = 2 * time.Second
	first, once := make(chan struct{}), false
	o.Progress = func(Point) {
		if !once {
			close(first)
		}
		once = true
	}
	done := make(chan struct{})
	go restartOnce(s, first, done) // awaited below
	r := mustRun(t, o)
	<-done
	if r.Errors[classRefused] < 100 {
		t.Errorf("got errors %v, want those that were due while nobody listened", r.Errors)
	}
	if got, want := r.Answered+r.ErrorsTotal, int64(2000); got != want || r.Scheduled != want {
		t.Errorf("got %d requests that ended, %d scheduled, want each of %d to end once", got, r.Scheduled, want)
	}
	if r.Disconnects != 10 {
		t.Errorf("got %d disconnects, want each of the 10 connections to be lost once", r.Disconnects)
	}
	if last := r.Series[len(r.Series)-1]; last.Errors != 0 || last.Rate == 0 {
		t.Errorf("got %+v at the end, want to be served again", last)
	}
}

func restartOnce(s *server, first <-chan struct{}, done chan<- struct{}) {
	defer close(done)
	<-first
	s.kill()
	after(300*time.Millisecond, func() { s.start() })()
}

// TestSilenceEndsInATimeout freezes the server for good.
func TestSilenceEndsInATimeout(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	o := small(s.address)
	o.Timeout, o.Duration = 200*time.Millisecond, 3*time.Second
	first, once := make(chan struct{}), false
	o.Progress = func(Point) {
		if !once {
			close(first)
		}
		once = true
	}
	done := make(chan struct{})
	go stopOnce(s, first, done) // awaited below
	r := mustRun(t, o)
	<-done
	s.signal(syscall.SIGCONT)
	if r.Errors[classTimeout] < 10 || r.Answered+r.ErrorsTotal != 3000 {
		t.Errorf("got %d answered, errors %v, want 3000 in all and a timeout on each connection", r.Answered, r.Errors)
	}
	if r.Note == "" {
		t.Error("got no note, want to be told that the keys could not be removed")
	}
}

func stopOnce(s *server, first <-chan struct{}, done chan<- struct{}) {
	defer close(done)
	<-first
	s.signal(syscall.SIGSTOP)
}

// TestErrorReplyIsCountedByItsFirstWord takes a command away from the server.
func TestErrorReplyIsCountedByItsFirstWord(t *testing.T) {
	t.Parallel()
	s := startServer(t, "--rename-command", "EVAL", "")
	o := small(s.address)
	o.Mix = Mix{Get: 1, Script: 1}
	r := mustRun(t, o)
	if got := r.Errors["ERR"]; got < 400 || got > 600 || r.ErrorsTotal != got {
		t.Errorf("got errors %v, want half of 1000 as ERR", r.Errors)
	}
}

// TestOverloadLowersTheRate asks for more than there is: what is late is still answered, and the rate is what was reached.
func TestOverloadLowersTheRate(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	o := small(s.address)
	o.Mix, o.BigBytes, o.Duration, o.Rate = Mix{Big: 1}, 4<<20, 200*time.Millisecond, 2000
	r := mustRun(t, o)
	if r.Seconds < 0.3 || r.Rate > 1500 || r.Answered+r.ErrorsTotal != 400 {
		t.Errorf("got %d answered in %.2f s, %.0f/s, want 400 in more than the 0.2 s in which they were due", r.Answered, r.Seconds, r.Rate)
	}
}

func TestLoginAndDatabase(t *testing.T) {
	t.Parallel()
	socket := filepath.Join(t.TempDir(), "s")
	s := startServer(t, "--requirepass", "secret", "--unixsocket", socket)
	o := small(unixPrefix + socket)
	o.Password, o.Database, o.Keep, o.Duration = "secret", 3, true, 200*time.Millisecond
	if r := mustRun(t, o); r.ErrorsTotal != 0 {
		t.Errorf("got errors %v, want none", r.Errors)
	}
	o.Password = "wrong"
	if _, err := Run(t.Context(), o); !errors.Is(err, ErrUnusable) || !strings.Contains(err.Error(), "WRONGPASS") {
		t.Errorf("got %v, want %v with the reason", err, ErrUnusable)
	}
	o = small(s.address)
	if _, err := Run(t.Context(), o); !errors.Is(err, ErrUnusable) {
		t.Errorf("got %v without a password, want %v", err, ErrUnusable)
	}
}

func TestNobodyListens(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	s.kill()
	if _, err := Run(t.Context(), small(s.address)); !errors.Is(err, syscall.ECONNREFUSED) || !strings.Contains(err.Error(), s.address) {
		t.Errorf("got %v, want a refusal by %s", err, s.address)
	}
}

func TestInterruptedLoadTellsWhatItSaw(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	o := small(s.address)
	o.Duration = time.Minute
	ctx, cancel := context.WithCancel(t.Context())
	o.Progress = func(Point) { cancel() }
	r, err := Run(ctx, o)
	if !errors.Is(err, ErrInterrupted) {
		t.Errorf("got %v, want %v", err, ErrInterrupted)
	}
	if r.Scheduled < 900 || r.Answered < 100 || r.Seconds < 0.9 || r.Seconds > 10 || r.Answered+r.ErrorsTotal != r.Scheduled {
		t.Errorf("got %d answered in %.2f s, %.0f/s, want what was done in the second until the end", r.Answered, r.Seconds, r.Rate)
	}
	if got := s.keys(); got != 0 {
		t.Errorf("got %d keys left, want none", got)
	}
}

// TestResultRoundTrip reads the JSON of a result back.
func TestResultRoundTrip(t *testing.T) {
	t.Parallel()
	s := startServer(t)
	o := small(s.address)
	o.Duration = 300 * time.Millisecond
	r := mustRun(t, o)
	data, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]any
	if err := json.Unmarshal(data, &fields); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{
		"mode", "closed_loop", "address", "started", "settings", "scheduled", "answered", "requests_per_second", "errors", "errors_total",
		"disconnects", "latency", "kinds", "series", "generator_cpu_seconds", "generator_late_ms",
	} {
		if _, ok := fields[name]; !ok {
			t.Errorf("the JSON has no %q", name)
		}
	}
	if got, want := len(r.Series), 3; got < want {
		t.Errorf("got %d points in 300 ms, want at least %d", got, want)
	}
	file := filepath.Join(t.TempDir(), "page.html")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(r.WritePage(f), f.Close()); err != nil {
		t.Error(err)
	}
}
