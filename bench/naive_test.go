package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/BurntSushi/toml"
)

// naiveEnv makes the test binary behave as a proxy of the kind that Holdfast replaces: it follows the role, promotes without
// a drain, and breaks every connection of a master that is gone.
const naiveEnv = "BENCH_NAIVE_PROXY"

// TestDrillsCanFail runs drills against that proxy: a drill that finds nothing there would find nothing anywhere.
func TestDrillsCanFail(t *testing.T) {
	self, err := os.Executable()
	check(t, err)
	t.Setenv(naiveEnv, "1")
	for _, p := range []plan{sigkill(), switchovers()} {
		report, err := p.run(t.Context(), Options{Binary: self, Clients: 10})
		check(t, err)
		t.Log(&report)
		broken := make(map[string]bool)
		for _, b := range report.Broken() {
			broken[b.Text] = true
		}
		if !broken["every client stays connected"] {
			t.Errorf("%s: got %v broken, want the disconnects to be found", p.name, broken)
		}
		if broken["all clients are served again"] || broken["no request stays unanswered"] {
			t.Errorf("%s: got %v broken, want a proxy that works apart from that", p.name, broken)
		}
	}
}

// naive is the state of that proxy.
type naive struct {
	backends []BackendRef
	mu       sync.Mutex // guards the rest
	master   int
	epoch    uint64
	conns    map[net.Conn]bool
}

// runNaive is the process; it lives until it is killed.
func runNaive(file string) error {
	var cfg struct {
		Admin struct{ Listen string }
		Pool  []struct {
			Name     string
			Listen   []string
			Backends []BackendRef
		}
	}
	if _, err := toml.DecodeFile(file, &cfg); err != nil {
		return err
	}
	n := &naive{backends: cfg.Pool[0].Backends, epoch: 1, conns: make(map[net.Conn]bool)}
	ln, err := net.Listen("tcp", cfg.Pool[0].Listen[0])
	if err != nil {
		return err
	}
	go n.accept(ln) // these end with the process
	go n.watch()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/status", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{"pools": []PoolStatus{n.status(cfg.Pool[0].Name)}})
	})
	mux.HandleFunc("POST /v1/pools/{pool}/switchover", func(w http.ResponseWriter, _ *http.Request) {
		n.promote()
		_ = json.NewEncoder(w).Encode(Receipt{})
	})
	server := &http.Server{Addr: cfg.Admin.Listen, Handler: mux, ReadHeaderTimeout: time.Second}
	return server.ListenAndServe()
}

func (n *naive) status(pool string) PoolStatus {
	n.mu.Lock()
	defer n.mu.Unlock()
	s := PoolStatus{Name: pool, Gate: gateOpen, Master: n.backends[n.master].Name, Epoch: n.epoch}
	for _, b := range n.backends {
		s.Backends = append(s.Backends, BackendStatus{Name: b.Name, Address: b.Address, InSync: true})
	}
	return s
}

func (n *naive) accept(ln net.Listener) {
	for {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		go n.serve(c)
	}
}

func (n *naive) serve(c net.Conn) {
	defer c.Close()
	n.mu.Lock()
	n.conns[c] = true
	address := n.backends[n.master].Address
	n.mu.Unlock()
	b, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	defer b.Close()
	go func() {
		_, _ = io.Copy(b, c)
		_ = b.Close()
	}()
	_, _ = io.Copy(c, b)
}

// watch promotes the other node as soon as the master refuses a connection.
func (n *naive) watch() {
	for range time.Tick(50 * time.Millisecond) {
		n.mu.Lock()
		address := n.backends[n.master].Address
		n.mu.Unlock()
		c, err := net.DialTimeout("tcp", address, time.Second)
		if err != nil {
			n.promote()
			continue
		}
		_ = c.Close()
	}
}

func (n *naive) promote() {
	n.mu.Lock()
	defer n.mu.Unlock()
	old := n.backends[n.master]
	n.master = 1 - n.master
	n.epoch++
	host, port, _ := net.SplitHostPort(n.backends[n.master].Address)
	for _, order := range []struct {
		to   string
		args []string
	}{{n.backends[n.master].Address, []string{"REPLICAOF", "NO", "ONE"}}, {old.Address, []string{"REPLICAOF", host, port}}} {
		if c, err := dial(context.Background(), order.to); err == nil {
			if _, err := c.must(order.args...); err != nil {
				fmt.Fprintln(os.Stderr, err)
			}
			_ = c.Close()
		}
	}
	for c := range n.conns {
		_ = c.Close()
	}
	clear(n.conns)
}
