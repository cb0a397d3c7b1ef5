package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
)

// The first byte of a connection to a streamServer says what the client wants of it.
const (
	streamEcho = 'E' // everything back, and the server's end when the client's has come
	streamGive = 'G' // streamGift bytes and the server's end at once; then the client's bytes are counted
	streamName = 'N' // the server's name, for as many requests as come
)

// streamGift is how much a streamGive connection sends, in bytes: more than any socket buffer on the way.
const streamGift = 1 << 20

// streamServer is a backend for byte streams, with the verbs of a fault. It speaks nothing a proxy could know.
type streamServer struct {
	name    string
	address string
	ln      net.Listener
	conns   sync.WaitGroup

	mu      sync.Mutex // guards open and counted
	open    map[net.Conn]bool
	counted []int64 // bytes that each finished streamGive client sent after it had seen the server's end
}

// newStreamServer reserves an address; Start listens on it.
func newStreamServer(name string) (*streamServer, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	return &streamServer{name: name, address: loopback(port), open: make(map[net.Conn]bool)}, nil
}

// Start listens, at first or again after Kill.
func (s *streamServer) Start(ctx context.Context) error {
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", s.address)
	if err != nil {
		return fmt.Errorf("start %s: %w", s.name, err)
	}
	s.ln = ln
	s.conns.Add(1)
	go s.accept(ln) // ends with the listener; Kill waits for it
	return nil
}

// Kill resets all connections and refuses new ones, as a crash does, and returns when nothing is left.
func (s *streamServer) Kill() error {
	if s.ln == nil {
		return nil
	}
	err := s.ln.Close()
	s.ln = nil
	s.mu.Lock()
	for c := range s.open {
		if tcp, ok := c.(*net.TCPConn); ok {
			err = errors.Join(err, tcp.SetLinger(0))
		}
		err = errors.Join(err, c.Close())
	}
	clear(s.open)
	s.mu.Unlock()
	s.conns.Wait()
	return err
}

// received returns what streamGive clients sent so far.
func (s *streamServer) received() []int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]int64(nil), s.counted...)
}

func (s *streamServer) accept(ln net.Listener) {
	defer s.conns.Done()
	for {
		c, err := ln.Accept()
		if err != nil {
			return // closed by Kill
		}
		s.mu.Lock()
		s.open[c] = true
		s.mu.Unlock()
		s.conns.Add(1)
		go s.serve(c) // ends with its client or by Kill; Kill waits for it
	}
}

func (s *streamServer) serve(c net.Conn) {
	defer s.conns.Done()
	defer s.forget(c)
	r := bufio.NewReaderSize(c, 64<<10)
	kind, err := r.ReadByte()
	if err != nil {
		return // a health check, or nobody
	}
	switch kind {
	case streamEcho:
		if _, err := io.Copy(c, r); err == nil {
			_ = c.(*net.TCPConn).CloseWrite() // the client checks what it got
		}
	case streamGive:
		s.give(c, r)
	case streamName:
		for err == nil {
			if _, err = io.WriteString(c, s.name+"\n"); err == nil {
				_, err = r.ReadByte()
			}
		}
	}
}

// give ends its own direction first and then listens on.
func (s *streamServer) give(c net.Conn, r io.Reader) {
	if _, err := c.Write(pattern(0, streamGift)); err != nil {
		return
	}
	if err := c.(*net.TCPConn).CloseWrite(); err != nil {
		return
	}
	n, err := io.Copy(io.Discard, r)
	if err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counted = append(s.counted, n)
}

func (s *streamServer) forget(c net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[c] {
		delete(s.open, c)
		_ = c.Close() // both directions are over
	}
}

// pattern is n bytes that differ with seed and with their place, so that a missing or doubled block shows.
func pattern(seed uint64, n int) []byte {
	b := make([]byte, n)
	x := seed*0x9E3779B97F4A7C15 + 1
	for i := range b {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		b[i] = byte(x)
	}
	return b
}
