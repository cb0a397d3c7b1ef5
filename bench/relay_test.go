package bench

import (
	"context"
	"net"
	"strconv"
	"sync"
	"testing"
)

// relay is a deliberately bad proxy: it forwards request by request, and spoil may break one of the promises.
type relay struct {
	ln      net.Listener
	backend string
	spoil   func(serial int, request []string, ask func(...string) reply) (reply, bool)
	conns   sync.WaitGroup
	mu      sync.Mutex     // guards serial
	serial  map[string]int // requests so far of each command, over all connections
}

// startRelay listens in front of a server. spoil sees each request; when it answers true its reply is the client's.
func startRelay(t *testing.T, backend string, spoil func(int, []string, func(...string) reply) (reply, bool)) *relay {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	r := &relay{ln: ln, backend: backend, spoil: spoil, serial: make(map[string]int)}
	r.conns.Add(1)
	go r.accept() // awaited by the cleanup
	t.Cleanup(func() {
		check(t, ln.Close())
		r.conns.Wait()
	})
	return r
}

func (r *relay) accept() {
	defer r.conns.Done()
	for {
		c, err := r.ln.Accept()
		if err != nil {
			return
		}
		r.conns.Add(1)
		go r.serve(newConn(c)) // ends with its client
	}
}

func (r *relay) serve(client *conn) {
	defer r.conns.Done()
	defer client.Close()
	backend, err := dial(context.Background(), r.backend)
	if err != nil {
		return
	}
	defer backend.Close()
	ask := func(args ...string) reply {
		rep, _ := backend.do(queryMax, args...)
		return rep
	}
	for {
		req, err := readReply(client.r) // a request is framed like an array of bulks
		if err != nil {
			return
		}
		var args []string
		for _, item := range req.items {
			args = append(args, item.text)
		}
		r.mu.Lock()
		r.serial[args[0]]++
		serial := r.serial[args[0]]
		r.mu.Unlock()
		rep, spoiled := r.spoil(serial, args, ask)
		if !spoiled {
			rep = ask(args...)
		}
		if _, err := client.Write(appendReply(nil, rep)); err != nil {
			return
		}
	}
}

// appendReply encodes a reply again.
func appendReply(b []byte, r reply) []byte {
	b = append(b, r.kind)
	switch {
	case r.null:
		b = append(b, "-1"...)
	case r.kind == '+' || r.kind == '-':
		b = append(b, r.text...)
	case r.kind == ':':
		b = strconv.AppendInt(b, r.num, 10)
	case r.kind == '$':
		b = strconv.AppendInt(b, int64(len(r.text)), 10)
		b = append(append(b, "\r\n"...), r.text...)
	case r.kind == '*':
		b = strconv.AppendInt(b, int64(len(r.items)), 10)
		b = append(b, "\r\n"...)
		for _, item := range r.items {
			b = appendReply(b, item)
		}
		return b
	}
	return append(b, "\r\n"...)
}
