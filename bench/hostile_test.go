package bench

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// sink is a listener that keeps what each of its connections sent first.
type sink struct {
	net.Listener
	mu    sync.Mutex // guards heard
	heard [][]byte
	conns sync.WaitGroup
}

func (s *sink) serve() {
	defer s.conns.Done()
	for {
		c, err := s.Accept()
		if err != nil {
			return
		}
		s.conns.Add(1)
		go s.keep(c) // ends with the connection; conns is awaited
	}
}

func (s *sink) keep(c net.Conn) {
	defer s.conns.Done()
	defer c.Close()
	p := make([]byte, 4096)
	n, _ := c.Read(p)
	s.mu.Lock()
	s.heard = append(s.heard, p[:n])
	s.mu.Unlock()
	_, _ = io.Copy(io.Discard, c)
}

// said objects until so many connections have said something.
func (s *sink) said(want int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.heard) < want {
		return fmt.Errorf("%d of %d have spoken", len(s.heard), want)
	}
	return nil
}

// The crowd comes in all its kinds, does what it is known for, and goes.
func TestHostilesComeAndGo(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	s := &sink{Listener: l}
	s.conns.Add(1)
	go s.serve() // ends with the listener; conns is awaited
	h := newHostiles(l.Addr().String())
	const n = 200
	share := 0
	for _, k := range h.kinds {
		share += k.share
	}
	if share != 100 {
		t.Errorf("the shares add up to %d percent", share)
	}
	h.start(t.Context(), n)
	check(t, h.gathered(t.Context()))
	if got := h.n.Load(); got != n {
		t.Errorf("got %d clients, want %d", got, n)
	}
	check(t, await(t.Context(), 5*time.Second, pollEvery, func(context.Context) error { return s.said(n * 8 / 10) }))
	h.stop()
	check(t, l.Close())
	s.conns.Wait()
	for _, first := range []string{"*3\r\n$3\r\nSE", "*1048576\r\n", "GET /", "\x16\x03", "*1\r\n$4\r\nPING", "*4\r\n$8\r\nSETRANGE"} {
		found := false
		for _, heard := range s.heard {
			found = found || bytes.HasPrefix(heard, []byte(first))
		}
		if !found {
			t.Errorf("nobody said %q", first)
		}
	}
}
