//go:build ignore

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"regexp"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	// hungAfter is longer than any hold is allowed to last.
	hungAfter = 20 * time.Second
	// wrongMax bounds what one broken promise prints.
	wrongMax = 20
	// fatesMax is how many rounds a register remembers.
	fatesMax = 200
)

// Fate is what became of a request.
type Fate int

const (
	Done    Fate = iota // answered
	Unknown             // it may have been executed
	Refused             // it surely was not
)

// Scenario is one thing that an application does, with a memory of what it was promised. It prints a line at its end.
type Scenario struct {
	mu   sync.Mutex // guards what follows
	line struct {
		Scenario string         `json:"scenario"`
		Ops      int            `json:"ops"`
		Errors   map[string]int `json:"errors"`
		Wrong    []string       `json:"wrong"`
		Lost     int            `json:"lost"`
		Missed   int            `json:"missed"`
		Moved    int            `json:"moved"`
		Hung     int            `json:"hung"`
		Nulls    int            `json:"nulls"`
		Skipped  string         `json:"skipped"`
		Stall    int64          `json:"stall_ms"`
	}
	ending atomic.Bool // its connections may go from here on
}

// Ask makes one request and says what became of it.
func (s *Scenario) Ask(do func(context.Context) error) Fate {
	ctx, cancel := context.WithTimeout(context.Background(), hungAfter)
	defer cancel()
	began := time.Now()
	err := do(ctx)
	took := time.Since(began).Milliseconds()
	s.mu.Lock()
	s.line.Stall = max(s.line.Stall, took)
	if err == nil {
		s.line.Ops++
	} else if ctx.Err() != nil {
		s.line.Hung++
	}
	s.mu.Unlock()
	switch {
	case err == nil:
		return Done
	case ctx.Err() != nil:
		return Unknown
	}
	return s.Failed(err)
}

// documented finds the errors that Holdfast gives, also inside what a library says around them.
var documented = regexp.MustCompile(`\b(UNKNOWNRESULT|TRYAGAIN|EXECABORT)\b`)

// reply finds the first word of any other error of a server.
var reply = regexp.MustCompile(`^[A-Z]+\b`)

// Failed counts an error by its first word. What is no reply of a server is no error but a broken promise.
func (s *Scenario) Failed(err error) Fate {
	word := documented.FindString(err.Error())
	if word == "" {
		word = reply.FindString(err.Error())
	}
	if word == "" {
		s.Object("%T: %v", err, err)
		return Unknown
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.line.Errors[word]++
	if word == "UNKNOWNRESULT" {
		return Unknown
	}
	return Refused
}

// Object notes what no history explains.
func (s *Scenario) Object(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.line.Wrong) < wrongMax {
		s.line.Wrong = append(s.line.Wrong, fmt.Sprintf(format, args...))
	}
}

// add raises one of the counts of line.
func (s *Scenario) add(count *int, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	*count += n
}

func (s *Scenario) print() {
	s.mu.Lock()
	defer s.mu.Unlock()
	text, err := json.Marshal(s.line)
	if err != nil {
		panic(err)
	}
	fmt.Printf("SCENARIO %s\n", text)
}

// Dial opens a connection whose end, unless it is our own, is counted: no failover may take it away.
func (s *Scenario) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &watched{Conn: c, s: s}, nil
}

type watched struct {
	net.Conn
	s    *Scenario
	once sync.Once
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	w.see(err)
	return n, err
}

func (w *watched) Write(p []byte) (int, error) {
	n, err := w.Conn.Write(p)
	w.see(err)
	return n, err
}

func (w *watched) see(err error) {
	if errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) {
		w.once.Do(w.count)
	}
}

func (w *watched) count() {
	if !w.s.ending.Load() {
		w.s.add(&w.s.line.Moved, 1)
	}
}

// Counter knows between which bounds a number must be that only this program raises.
type Counter struct {
	s         *Scenario
	name      string
	low, high int64
}

// Took takes what became of an increment by one, and its reply.
func (c *Counter) Took(f Fate, value int64) {
	switch f {
	case Done:
		c.is(value, 1)
	case Unknown:
		c.high++
	}
}

// Is takes a reading.
func (c *Counter) Is(value int64) { c.is(value, 0) }

func (c *Counter) is(value, more int64) {
	if value > c.high+more {
		c.s.Object("%s is %d, at most %d was asked for", c.name, value, c.high+more)
	}
	if value < c.low+more {
		c.s.add(&c.s.line.Lost, int(c.low+more-value))
	}
	c.low, c.high = value, value
}

// Ledger checks a list that only this program appends to: what was acknowledged is there once and in order, what was refused is not
// there.
type Ledger struct {
	s     *Scenario
	fates map[int]Fate
}

func (l *Ledger) Wrote(id int, f Fate) { l.fates[id] = f }

func (l *Ledger) Check(found []string) {
	seen, before := map[int]bool{}, -1
	for _, text := range found {
		id, err := strconv.Atoi(text)
		fate, written := l.fates[id]
		switch {
		case err != nil || !written:
			l.s.Object("entry %q was never written", text)
		case seen[id]:
			l.s.Object("entry %d is there twice", id)
		case fate == Refused:
			l.s.Object("entry %d was refused and is there", id)
		case id < before:
			l.s.Object("entry %d stands behind %d", id, before)
		}
		seen[id], before = true, id
	}
	for id, fate := range l.fates {
		if fate == Done && !seen[id] {
			l.s.add(&l.s.line.Lost, 1)
		}
	}
}

// Register knows which rounds a value may come from that only this program overwrites.
type Register struct {
	s      *Scenario
	name   string
	fates  map[int]Fate
	newest int
}

func (r *Register) Wrote(round int, f Fate) {
	r.newest, r.fates[round] = round, f
	delete(r.fates, round-fatesMax)
}

// Read takes a reading, as the round that wrote it; -1 is nothing yet. An older round than the last that was acknowledged means that
// the later ones are lost.
func (r *Register) Read(round int) {
	if round > r.newest {
		r.s.Object("%s is of round %d, and there were %d", r.name, round, r.newest)
	}
	if fate, known := r.fates[round]; known && fate == Refused {
		r.s.Object("%s is of round %d, which was refused", r.name, round)
	}
	for k, fate := range r.fates {
		if k <= round {
			continue
		}
		if fate == Done {
			r.s.add(&r.s.line.Lost, 1)
			r.fates[k] = Unknown // it counts once
		}
	}
}

// Sequence checks the messages of one publisher: in order, none twice, none that was refused. What is missing is counted.
type Sequence struct {
	s       *Scenario
	mu      sync.Mutex // guards what follows
	last    int
	refused map[int]bool
}

func (q *Sequence) Refuse(number int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.refused[number] = true
}

func (q *Sequence) Last() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.last
}

func (q *Sequence) Got(text string) {
	number, err := strconv.Atoi(text)
	q.mu.Lock()
	defer q.mu.Unlock()
	if err != nil || number <= q.last {
		q.s.Object("message %q came after %d", text, q.last)
		return
	}
	if q.refused[number] {
		q.s.Object("message %d was refused and came", number)
	}
	for n := q.last + 1; n < number; n++ {
		if !q.refused[n] {
			q.s.add(&q.s.line.Missed, 1)
		}
	}
	q.last = number
	q.s.add(&q.s.line.Ops, 1)
}

// pause waits; a busy program would measure itself.
func pause(d time.Duration) { <-time.After(d) }

// until asks again and again, for what arrives by itself.
func until(limit time.Duration, ready func() bool) bool {
	for end := time.Now().Add(limit); time.Now().Before(end) && !ready(); {
		pause(20 * time.Millisecond)
	}
	return ready()
}

// act is what a scenario does as long as on says so.
type act func(s *Scenario, on func() bool)

// play runs all scenarios side by side and prints each of them.
func play(table map[string]act) {
	seconds, err := strconv.Atoi(os.Getenv("SECONDS"))
	if err != nil {
		panic(err)
	}
	end := time.Now().Add(time.Duration(seconds) * time.Second)
	var all sync.WaitGroup
	for name, do := range table {
		s := &Scenario{}
		s.line.Scenario, s.line.Errors, s.line.Wrong = name, map[string]int{}, []string{}
		all.Go(func() {
			do(s, func() bool { return time.Now().Before(end) })
			s.print()
		})
	}
	all.Wait()
}

// endpoint is where the server is.
func endpoint() string { return net.JoinHostPort(os.Getenv("REDIS_HOST"), os.Getenv("REDIS_PORT")) }
