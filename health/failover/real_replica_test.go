package failover

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"holdfast/health"
)

// The replica is busy while the last writes are acknowledged: they are in its socket when the master dies. A promotion that does
// not let it read them first loses most of them.
func TestDrainKeepsWhatTheReplicaHadNotRead(t *testing.T) {
	a, b := pair(t)
	r := newRig(t, nil, a, b)
	r.awaitServing(a)
	r.awaitInSync(5*time.Second, b)
	link, err := health.Dial(t.Context(), health.Settings{}, a.backend)
	if err != nil {
		t.Fatal(err)
	}
	defer link.Close()
	slept := make(chan error, 1)
	go sleepFor(b, "0.2", slept)
	eventually(t, 2*time.Second, "a sleeping replica", func() bool { return !answersWithin(b, 10*time.Millisecond) })
	const batches, size = 10, 500
	value := strings.Repeat("x", 400)
	for batch := range batches {
		_, err := link.Pipelined(t.Context(), func(p redis.Pipeliner) error {
			for i := range size {
				p.Set(t.Context(), fmt.Sprintf("key:%d:%d", batch, i), value, 0)
			}
			return nil
		})
		if err != nil {
			t.Fatalf("write: %v", err)
		}
	}
	a.Kill()
	r.Observe(health.Evidence{Backend: 0, Epoch: 1, Kind: health.EvReset})
	r.awaitServing(b)
	<-slept
	if got, want := b.keys(), int64(batches*size); got != want {
		t.Errorf("keys on the new master: got %d, want %d", got, want)
	}
}

func sleepFor(s *server, seconds string, done chan<- error) {
	_, err := s.do("DEBUG", "SLEEP", seconds)
	done <- err
}

// answersWithin asks a server once.
func answersWithin(s *server, limit time.Duration) bool {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	link, err := health.Dial(ctx, health.Settings{}, s.backend)
	if err != nil {
		return false
	}
	defer link.Close()
	stop := context.AfterFunc(ctx, link.Interrupt)
	defer stop()
	return link.Ping(ctx).Err() == nil
}

// A replica that is frozen when the master dies is waited for, and then has everything.
func TestFrozenReplicaIsWaitedFor(t *testing.T) {
	a, b := pair(t)
	r := newRig(t, nil, a, b)
	r.awaitServing(a)
	r.awaitInSync(5*time.Second, b)
	b.Freeze()
	const writes = 300
	for i := range writes {
		a.must("SET", fmt.Sprintf("key:%d", i), "0123456789")
	}
	a.Kill()
	b.Wake()
	r.awaitServing(b)
	if got := b.keys(); got != writes {
		t.Errorf("keys on the new master: got %d, want %d", got, writes)
	}
}

// Offset comes before priority: the replica that lags loses, however it is preferred.
func TestTheReplicaWithMoreDataWins(t *testing.T) {
	a, b := pair(t)
	c := newServer(t, "redis3", "--replica-priority", "1")
	c.StartReplica(a)
	a.awaitStreaming(c)
	r := newRig(t, func(s *health.Settings) { s.Silence = 5 * time.Second }, a, b, c)
	r.awaitServing(a)
	r.awaitInSync(5*time.Second, b)
	r.awaitInSync(5*time.Second, c)
	c.must("CONFIG", "SET", "masteruser", "nobody", "masterauth", "wrong") // who repoints it meanwhile brings it no data
	c.must("REPLICAOF", "127.0.0.1", "1")
	for i := range 100 {
		a.must("SET", fmt.Sprintf("key:%d", i), "0123456789")
	}
	a.Kill()
	r.awaitServing(b)
	if got := b.keys(); got != 100 {
		t.Errorf("keys on the new master: got %d, want 100", got)
	}
	c.must("CONFIG", "SET", "masteruser", "", "masterauth", "")
	r.awaitInSync(5*time.Second, c)
	if got := c.keys(); got != 100 {
		t.Errorf("keys on the other replica: got %d, want 100", got)
	}
}

// relay passes connections on to a server, until it is blocked: then it accepts and stays silent, as a broken path does.
type relay struct {
	listener net.Listener
	target   string
	mu       sync.Mutex // guards open
	open     *sync.Cond
	blocked  bool
	workers  sync.WaitGroup
}

func newRelay(t *testing.T, s *server) *relay {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("listen: %v", err)
	}
	r := &relay{listener: l, target: s.backend.Address}
	r.open = sync.NewCond(&r.mu)
	r.workers.Add(1)
	go r.accept()
	t.Cleanup(func() {
		l.Close()
		r.block(false)
	})
	return r
}

func (r *relay) block(blocked bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.blocked = blocked
	r.open.Broadcast()
}

func (r *relay) accept() {
	defer r.workers.Done()
	for {
		client, err := r.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", r.target)
		if err != nil {
			client.Close()
			continue
		}
		go r.pass(client, server)
		go r.pass(server, client)
	}
}

func (r *relay) pass(from, to net.Conn) {
	defer from.Close()
	defer to.Close()
	buffer := make([]byte, 1<<14)
	for {
		n, err := from.Read(buffer)
		r.mu.Lock()
		for r.blocked {
			r.open.Wait()
		}
		r.mu.Unlock()
		if n > 0 {
			to.Write(buffer[:n]) //nolint:errcheck // the next read fails too
		}
		if err != nil {
			return
		}
	}
}

// Only our own path to the master is broken; others still write to it. The replica's stream is the witness.
func TestWitnessForbidsThePromotion(t *testing.T) {
	for _, silence := range []time.Duration{time.Second, 300 * time.Millisecond} {
		t.Run(silence.String(), func(t *testing.T) { witnessForbids(t, silence) })
	}
}

func witnessForbids(t *testing.T, silence time.Duration) {
	a, b := pair(t)
	path := newRelay(t, a)
	r := newRig(t, func(s *health.Settings) {
		s.Silence, s.Backends[0].Address = silence, path.listener.Addr().String()
	}, a, b)
	r.awaitServing(a)
	r.awaitInSync(5*time.Second, b)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	acked := make(chan int, 1)
	go writer(ctx, a, 0, acked)
	path.block(true)
	after(2500 * time.Millisecond)
	if s := r.Snapshot(); s.State != "suspect" || s.Gate != "shut" || s.Epoch != 1 {
		t.Errorf("snapshot: got %s, gate %s, epoch %d; want suspect, shut, 1", s.State, s.Gate, s.Epoch)
	}
	t.Logf("why: %s", r.Snapshot().Why)
	path.block(false)
	r.awaitServing(a)
	if got := r.Snapshot().Epoch; got != 1 {
		t.Errorf("epoch: got %d, want 1", got)
	}
	cancel()
	<-acked
}

// A replica of a replica keeps its link when the master dies. Waiting for the end of that would take all of the drain's time.
func TestAReplicaOfAReplicaIsNotWaitedFor(t *testing.T) {
	a, b := pair(t)
	c := newServer(t, "redis3")
	c.Start("--replicaof", fmt.Sprintf("127.0.0.1 %d", b.port))
	r := newRig(t, nil, a, b, c)
	r.awaitServing(a)
	r.awaitInSync(5*time.Second, b)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	acked := make(chan int, 1)
	go writer(ctx, a, 0, acked) // only a growing offset proves a stream that the master knows nothing of
	r.awaitInSync(5*time.Second, c)
	cancel()
	want := int64(<-acked)
	killed := time.Now()
	a.Kill()
	r.Observe(health.Evidence{Backend: 0, Epoch: 1, Kind: health.EvReset})
	_, at := r.awaitRoute(3*time.Second, "epoch 2", openWith(2))
	if took := at.Sub(killed); took > 150*time.Millisecond {
		t.Errorf("released %s after the death, want less than the 200 ms for which a link may keep a drain waiting", took)
	}
	r.awaitServing(b)
	r.awaitInSync(5*time.Second, c)
	if got := c.keys(); got < want {
		t.Errorf("keys on the replica of the new master: got %d, want %d", got, want)
	}
}
