package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// hostiles is a crowd of clients that do nothing right. They are meant to bind what a proxy has, not to use up the machine
// by themselves: each has its pauses.
type hostiles struct {
	address string
	kinds   []hostileKind
	n, came atomic.Int64 // clients, and those that have connected once
	dials   atomic.Int64 // connections made
	end     context.CancelFunc
	clients sync.WaitGroup
}

// hostileKind is one way of being a bad client.
type hostileKind struct {
	name  string
	share int // of all hostile clients, in percent
	// asks: it sends whole requests, so that it is served like anybody.
	asks bool
	act  func(ctx context.Context, c net.Conn, id int)
}

const (
	// hostileRate is how many connections are made in a second while the crowd gathers.
	hostileRate = 2000
	// hostilePause is between two connections of one client. A thousand clients that are ended at once make 400 connections
	// a second with it, which is what a scanner does.
	hostilePause = 2500 * time.Millisecond
	// gatherMax is how long the crowd may take to come.
	gatherMax = 20 * time.Second
	// dripEvery is between two bytes of a client that sends as slowly as it can.
	dripEvery = time.Second
)

// newHostiles is a crowd of every kind that is known.
func newHostiles(address string) *hostiles {
	return &hostiles{address: address, kinds: []hostileKind{
		{name: "silent", share: 16, act: actSilent},
		{name: "half a header", share: 16, act: sayAndWait("*3\r\n$3\r\nSE")},
		{name: "a byte a second", share: 16, act: actDrip},
		{name: "a large value, a byte a second", share: 12, asks: true, act: actTrickle},
		{name: "huge counts", share: 12, act: sayAndWait(hugeCounts)},
		{name: "pipelines and does not read", share: 8, asks: true, act: actDeaf},
		{name: "garbage", share: 5, act: actGarbage},
		{name: "HTTP", share: 5, act: sayAndWait("GET /latest HTTP/1.1\r\nHost: cache\r\n\r\n")},
		{name: "TLS", share: 5, act: sayAndWait("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + string(make([]byte, 500)))},
		{name: "connects and leaves", share: 5, act: func(context.Context, net.Conn, int) {}},
	}}
}

// hugeCounts declares half a petabyte and sends a little of it.
const hugeCounts = "*1048576\r\n$536870912\r\n" + "some of the first argument"

// start lets n clients come.
func (h *hostiles) start(ctx context.Context, n int) {
	ctx, h.end = context.WithCancel(ctx)
	id := 0
	for _, k := range h.kinds {
		for range n * k.share / 100 {
			h.clients.Add(1)
			h.n.Add(1)
			go h.run(ctx, k, id, time.Duration(rand.IntN(n))*time.Second/hostileRate) // stop waits for it
			id++
		}
	}
}

// stop ends all of them.
func (h *hostiles) stop() {
	if h.end != nil {
		h.end()
		h.clients.Wait()
	}
}

// gathered returns when every client has connected at least once.
func (h *hostiles) gathered(ctx context.Context) error {
	return await(ctx, gatherMax, pollEvery, func(context.Context) error {
		if got, want := h.came.Load(), h.n.Load(); got < want {
			return fmt.Errorf("%d of %d hostile clients have come", got, want)
		}
		return nil
	})
}

// served is how many of n clients are served like good ones.
func (h *hostiles) served(n int) (all int) {
	for _, k := range h.kinds {
		if k.asks {
			all += n * k.share / 100
		}
	}
	return all
}

func (h *hostiles) run(ctx context.Context, k hostileKind, id int, after time.Duration) {
	defer h.clients.Done()
	came := int64(1)
	for wait := after; pause(ctx, wait) == nil; wait = hostilePause {
		if c, err := dialer(h.address)(ctx); err == nil {
			h.came.Add(came)
			came = 0
			h.be(ctx, k, id, c)
		}
	}
}

// be is one connection from its beginning to its end.
func (h *hostiles) be(ctx context.Context, k hostileKind, id int, c net.Conn) {
	h.dials.Add(1)
	closing := context.AfterFunc(ctx, func() { _ = c.Close() })
	defer closing()
	defer c.Close()
	k.act(ctx, c, id)
}

// waitEnd returns when the other side, or ctx, ends the connection.
func waitEnd(c net.Conn) {
	p := make([]byte, 512)
	for {
		if _, err := c.Read(p); err != nil {
			return
		}
	}
}

func actSilent(_ context.Context, c net.Conn, _ int) { waitEnd(c) }

func sayAndWait(what string) func(context.Context, net.Conn, int) {
	return func(_ context.Context, c net.Conn, _ int) {
		if _, err := c.Write([]byte(what)); err == nil {
			waitEnd(c)
		}
	}
}

// actDrip begins a request that has no end.
func actDrip(ctx context.Context, c net.Conn, _ int) { drip(ctx, c, "x") }

func drip(ctx context.Context, c net.Conn, what string) {
	for {
		if _, err := c.Write([]byte(what)); err != nil || pause(ctx, dripEvery) != nil {
			return
		}
	}
}

// actTrickle is served, and then sends a value that would take hours.
func actTrickle(ctx context.Context, c net.Conn, id int) {
	client := newConn(c)
	if _, err := client.do(queryMax, "PING"); err != nil {
		return
	}
	_ = c.SetDeadline(time.Time{})
	head := appendRequest(nil, "SET", hostileKey(id))
	head[1] = '3'
	if _, err := c.Write(append(head, "$100000\r\n"...)); err == nil {
		drip(ctx, c, "x")
	}
}

// hostileKey belongs to no good client, and is in the database that those leave empty.
func hostileKey(id int) string { return "hostile:" + string(rune('a'+id%26)) }

const (
	// deafRequests, each for a value of deafValue bytes, are more than all buffers on the way hold.
	deafRequests, deafValue = 100, 8000
	// deafWindow is the receive buffer of a client that does not read, in bytes.
	deafWindow = 4096
)

// actDeaf asks for much and takes nothing of it.
func actDeaf(ctx context.Context, c net.Conn, _ int) {
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetReadBuffer(deafWindow)
	}
	all := appendRequest(nil, "SETRANGE", hostileKey(0), "7999", "x")
	for range deafRequests {
		all = appendRequest(all, "GET", hostileKey(0))
	}
	if _, err := c.Write(all); err == nil {
		<-ctx.Done()
	}
}

// actGarbage sends what no parser expects. A zero byte is in it, or it might be a line.
func actGarbage(_ context.Context, c net.Conn, _ int) {
	p := make([]byte, 200)
	for i := range p {
		p[i] = byte(rand.IntN(256))
	}
	p[0], p[100], p[199] = 'x', 0, '\n'
	if _, err := c.Write(p); err == nil {
		waitEnd(c)
	}
}
