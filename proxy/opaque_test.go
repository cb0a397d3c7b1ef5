package proxy

import (
	"bytes"
	"crypto/sha256"
	"io"
	"math/rand/v2"
	"net"
	"sync/atomic"
	"testing"
)

func opaque(backends ...string) func(*PoolOptions) {
	return func(o *PoolOptions) { o.Opaque, o.Backends = true, backends }
}

func dialTCP(t *testing.T, addr string) *net.TCPConn {
	t.Helper()
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	return nc.(*net.TCPConn)
}

func noise(n int) []byte {
	p := make([]byte, n)
	r := rand.NewChaCha8([32]byte{1})
	_, _ = r.Read(p)
	return p
}

func echo(nc *net.TCPConn) {
	_, _ = io.Copy(nc, nc)
	_ = nc.CloseWrite()
}

func TestOpaqueBytesBothWays(t *testing.T) {
	r := startProxy(t, opaque(serve(t, echo)))
	r.Publish(open(1, 0, ""))
	nc := dialTCP(t, r.addr)
	data := noise(30 << 20)
	go func() {
		_, _ = nc.Write(data)
		_ = nc.CloseWrite()
	}()
	got, err := io.ReadAll(nc)
	if err != nil {
		t.Fatal(err)
	}
	if sha256.Sum256(got) != sha256.Sum256(data) {
		t.Fatalf("got %d bytes, want %d: or they differ", len(got), len(data))
	}
	eventually(t, "closed", func() bool { return r.stats().Closed[ClosedByClient] == 1 })
}

// The client ends its half first; the answer comes after that.
func TestOpaqueClientEndsFirst(t *testing.T) {
	r := startProxy(t, opaque(serve(t, func(nc *net.TCPConn) {
		p, _ := io.ReadAll(nc)
		_, _ = nc.Write(bytes.ToUpper(p))
	})))
	r.Publish(open(1, 0, ""))
	nc := dialTCP(t, r.addr)
	_, _ = nc.Write([]byte("hello"))
	_ = nc.CloseWrite()
	if got, err := io.ReadAll(nc); err != nil || string(got) != "HELLO" {
		t.Fatalf("got %q, %v", got, err)
	}
}

// The server ends its half first; what the client says after that still arrives.
func TestOpaqueServerEndsFirst(t *testing.T) {
	heard := make(chan string, 1)
	r := startProxy(t, opaque(serve(t, func(nc *net.TCPConn) {
		_, _ = nc.Write([]byte("welcome"))
		_ = nc.CloseWrite()
		p, _ := io.ReadAll(nc)
		heard <- string(p)
	})))
	r.Publish(open(1, 0, ""))
	nc := dialTCP(t, r.addr)
	if got, err := io.ReadAll(nc); err != nil || string(got) != "welcome" {
		t.Fatalf("got %q, %v", got, err)
	}
	_, _ = nc.Write(noise(100_000))
	_, _ = nc.Write([]byte("bye"))
	nc.Close()
	if got := <-heard; len(got) != 100_003 || got[100_000:] != "bye" {
		t.Fatalf("heard %d bytes", len(got))
	}
}

// A server that answers and refuses the rest: the answer is delivered although the client is still sending.
func TestOpaqueAnswerBeforeTheEndOfTheRequest(t *testing.T) {
	r := startProxy(t, opaque(serve(t, func(nc *net.TCPConn) {
		_, _ = nc.Read(make([]byte, 10))
		_, _ = nc.Write(noise(50_000))
		_ = nc.CloseWrite()
		_, _ = io.ReadFull(nc, make([]byte, 1<<20))
	})))
	r.Publish(open(1, 0, ""))
	nc := dialTCP(t, r.addr)
	go func() { _, _ = nc.Write(noise(20 << 20)) }()
	if n, err := io.CopyN(io.Discard, nc, 50_000); err != nil {
		t.Fatalf("got %d bytes, %v", n, err)
	}
}

func TestOpaqueMove(t *testing.T) {
	a, b := serve(t, greeter("a")), serve(t, greeter("b"))
	r := startProxy(t, opaque(a, b))
	r.Publish(open(1, 0, ""))
	touched, untouched := dialTCP(t, r.addr), dialTCP(t, r.addr)
	wantEcho(t, touched, "1", "a1")
	eventually(t, "both are connected", func() bool { return r.inState(statePiping) == 2 })
	r.shut(1, 0)
	r.cut(1)
	late := dialTCP(t, r.addr)
	_, _ = late.Write([]byte("2"))
	early := dialTCP(t, r.addr)
	_, _ = early.Write([]byte("4"))
	_ = early.CloseWrite()
	eventually(t, "three wait at the gate", func() bool { return r.stats().Held == 3 })
	r.Publish(open(2, 1, ""))
	wantEcho(t, late, "", "b2")
	wantEcho(t, untouched, "3", "b3")
	wantEcho(t, early, "", "b4")
	if got, _ := io.ReadAll(touched); len(got) != 0 {
		t.Fatalf("touched: got %q", got)
	}
	if s := r.stats(); s.Closed[ClosedOpaque] != 1 {
		t.Fatalf("stats: %+v", s)
	}
}

// greeter answers every byte with its name and that byte.
func greeter(name string) func(*net.TCPConn) {
	return func(nc *net.TCPConn) {
		p := make([]byte, 1)
		for {
			if _, err := nc.Read(p); err != nil {
				return
			}
			_, _ = nc.Write(append([]byte(name), p...))
		}
	}
}

func wantEcho(t *testing.T, nc *net.TCPConn, send, want string) {
	t.Helper()
	_, _ = nc.Write([]byte(send))
	got := make([]byte, len(want))
	if _, err := io.ReadFull(nc, got); err != nil || string(got) != want {
		t.Fatalf("got %q, %v, want %q", got, err, want)
	}
}

// An untouched client whose backend goes away by itself waits for the next check; a touched one is closed.
func TestOpaqueBackendLost(t *testing.T) {
	drop := make(chan struct{})
	var conns atomic.Int32
	a := serve(t, func(nc *net.TCPConn) {
		if conns.Add(1) == 1 {
			<-drop
			return
		}
		echo(nc)
	})
	r := startProxy(t, opaque(a))
	r.Publish(open(1, 0, ""))
	nc := dialTCP(t, r.addr)
	eventually(t, "connected", func() bool { return r.inState(statePiping) == 1 })
	close(drop)
	wantEvidence(t, r, EvidenceReset)
	eventually(t, "waiting", func() bool { return r.stats().Held == 1 })
	route := open(1, 0, "")
	route.Check = 1
	r.Publish(route)
	wantEcho(t, nc, "x", "x")
}

func TestOpaqueClientsBeyondTheHeldMaximumAreClosed(t *testing.T) {
	addr := serve(t, echo)
	r := startProxy(t, func(o *PoolOptions) { o.Opaque, o.HeldMax, o.Backends = true, 4, []string{addr} })
	conns := make([]*net.TCPConn, 10)
	for i := range conns {
		conns[i] = dialTCP(t, r.addr)
	}
	eventually(t, "six are closed", func() bool { return r.stats().Closed[ClosedOpaque] == 6 })
	r.Publish(open(1, 0, ""))
	served := 0
	for _, nc := range conns {
		_, _ = nc.Write([]byte("x"))
		if n, _ := nc.Read(make([]byte, 1)); n == 1 {
			served++
		}
	}
	if served != 4 {
		t.Fatalf("served %d, want 4", served)
	}
}
