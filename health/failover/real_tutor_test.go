package failover

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"holdfast/health"
)

// book is what a data plane without clients remembers.
type book struct {
	mu       sync.Mutex
	scripts  []Script
	commands []Command
	changed  chan struct{}
}

func newBook() *book { return &book{changed: make(chan struct{}, 1)} }

func (b *book) Scripts(mark uint64) ([]Script, uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.scripts[min(int(mark), len(b.scripts)):], uint64(len(b.scripts))
}

func (b *book) ScriptsChanged() <-chan struct{} { return b.changed }

func (b *book) Learn(commands []Command) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.commands = commands
}

func (b *book) learned() []Command {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.commands
}

// add remembers a script; with a signal, as a data plane gives it.
func (b *book) add(body string, signal bool) string {
	sum := sha1.Sum([]byte(body))
	b.mu.Lock()
	b.scripts = append(b.scripts, Script{SHA: hex.EncodeToString(sum[:]), Body: body})
	b.mu.Unlock()
	if signal {
		b.changed <- struct{}{}
	}
	return hex.EncodeToString(sum[:])
}

// knows asks a server for a script.
func (s *server) knows(sha string) bool {
	link, err := health.Dial(context.Background(), health.Settings{Password: s.pass}, s.backend)
	if err != nil {
		return false
	}
	defer link.Close()
	known, err := link.ScriptExists(context.Background(), sha).Result()
	return err == nil && len(known) == 1 && known[0]
}

// schooled is a pool with a tutor.
func schooled(t *testing.T, b *book, change func(*health.Settings), servers ...*server) *rig {
	t.Helper()
	s := health.Settings{Name: "test", Logger: slog.New(slog.NewTextHandler(testWriter{t}, nil))}
	for _, server := range servers {
		s.Backends = append(s.Backends, server.backend)
	}
	if change != nil {
		change(&s)
	}
	r := &rig{t: t, plane: &plane{changed: make(chan struct{})}, memory: &memory{}, servers: servers, done: make(chan error, 1)}
	x := New(s, r.plane, r.memory)
	tutor := x.Tutor(b)
	c, err := health.New(s, x, r.memory.last())
	if err != nil {
		t.Fatalf("create controller: %v", err)
	}
	r.Controller = c
	ctx, cancel := context.WithCancel(context.Background())
	r.cancel = cancel
	ended := make(chan error, 1)
	go func() { ended <- tutor.Run(ctx) }()
	go r.run(ctx)
	t.Cleanup(func() {
		r.stop()
		if err := <-ended; err != nil {
			t.Errorf("tutor ended: %v", err)
		}
	})
	return r
}

func TestScriptsAreMadeKnownToReplicas(t *testing.T) {
	a, b := pair(t)
	lessons := newBook()
	r := schooled(t, lessons, nil, a, b)
	r.awaitServing(a)
	first := lessons.add("return 1", true)
	eventually(t, 5*time.Second, "the replica knows the script", func() bool { return b.knows(first) })
	if a.knows(first) {
		t.Error("the master was taught, too: its clients decide what it knows")
	}
	broken := lessons.add("this is no Lua", true)
	second := lessons.add("return 2", true)
	eventually(t, 5*time.Second, "a script that cannot be compiled stops nothing", func() bool { return b.knows(second) })
	if b.knows(broken) {
		t.Error("a script that cannot be compiled is known")
	}
	b.Kill()
	b.StartReplica(a)
	eventually(t, 10*time.Second, "the restarted replica was taught again", func() bool { return b.knows(first) && b.knows(second) })
	r.awaitInSync(10*time.Second, b)
	for i := range 120 { // these come too late for the tutor: the promotion itself must see to them
		lessons.add(fmt.Sprintf("return %d", 100+i), false)
	}
	last := lessons.add("return 3", false)
	a.Kill()
	r.Observe(health.Evidence{Backend: 0, Epoch: 1, Kind: health.EvEOF, Busy: true})
	r.awaitRoute(5*time.Second, "epoch 2", openWith(2))
	if !b.knows(first) || !b.knows(second) || !b.knows(last) {
		t.Error("the new master does not know every script when the gate opens")
	}
	a.Start("--replicaof", fmt.Sprintf("127.0.0.1 %d", b.port))
	eventually(t, 10*time.Second, "the old master was taught as a replica", func() bool { return a.knows(first) && a.knows(last) })
}

// A user who may not load scripts costs the failover nothing but the scripts.
func TestTutorWithoutPermission(t *testing.T) {
	a, b := pair(t)
	for _, s := range []*server{a, b} {
		link, err := health.Dial(t.Context(), health.Settings{}, s.backend)
		if err != nil {
			t.Fatal(err)
		}
		if err := link.Do(t.Context(), "ACL", "SETUSER", "hf", "on", ">pw", "~*", "&*", "+@all", "-script", "-command").Err(); err != nil {
			t.Fatal(err)
		}
		link.Close()
	}
	lessons := newBook()
	r := schooled(t, lessons, func(s *health.Settings) { s.Username, s.Password = "hf", "pw" }, a, b)
	r.awaitServing(a)
	r.awaitInSync(5*time.Second, b)
	sha := lessons.add("return 1", true)
	a.Kill()
	r.Observe(health.Evidence{Backend: 0, Epoch: 1, Kind: health.EvEOF, Busy: true})
	r.awaitRoute(5*time.Second, "epoch 2", openWith(2))
	if b.knows(sha) || lessons.learned() != nil {
		t.Error("the user did what it may not: the test proves nothing")
	}
}

// The data plane hears which commands the master has, also those that our own table cannot know.
func TestCommandsOfTheMasterAreLearned(t *testing.T) {
	a, b := pair(t)
	lessons := newBook()
	r := schooled(t, lessons, nil, a, b)
	r.awaitServing(a)
	eventually(t, 5*time.Second, "learned", func() bool { return len(lessons.learned()) > 0 })
	want := map[string]string{"hget": "readonly true", "lpush": "write true", "config|get": "admin false", "eval": "noscript true"}
	for _, c := range lessons.learned() {
		if w, ok := want[c.Name]; ok && len(c.Flags) > 0 && fmt.Sprint(c.Flags[0], " ", c.Keyed) == w {
			delete(want, c.Name)
		}
	}
	if len(want) > 0 {
		t.Errorf("not learned: %v", want)
	}
}
