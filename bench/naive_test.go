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
		broken := drillNaive(t, self, p)
		if !broken["every client stays connected"] {
			t.Errorf("%s: got %v broken, want the disconnects to be found", p.name, broken)
		}
		if broken["all clients are served again"] || broken["no request stays unanswered"] {
			t.Errorf("%s: got %v broken, want a proxy that works apart from that", p.name, broken)
		}
	}
}

// TestDrainDrillCanFail needs the naive promotion to come before the replica reads on, which a busy machine may delay.
func TestDrainDrillCanFail(t *testing.T) {
	self, err := os.Executable()
	check(t, err)
	t.Setenv(naiveEnv, "1")
	for range attempts {
		if drillNaive(t, self, drain())[lossPromise] {
			return
		}
	}
	t.Errorf("got no loss in %d attempts, want the writes that were not drained to be found", attempts)
}

// drillNaive returns the texts of the promises that the naive proxy broke.
func drillNaive(t *testing.T, self string, p plan) map[string]bool {
	t.Helper()
	drill := Drill{Name: p.name, Fault: p.fault, run: p.run}
	report, err := drill.Run(t.Context(), Options{Binary: self})
	check(t, err)
	t.Log(&report)
	broken := make(map[string]bool)
	for _, b := range report.Broken() {
		broken[b.Text] = true
	}
	return broken
}

// naive is the state of that proxy.
type naive struct {
	backends []BackendRef
	mu       sync.Mutex // guards the rest
	master   int
	epoch    uint64
	conns    map[net.Conn]bool
	control  []*conn // open all the time, as a monitor's are: what is written there comes before what is not read yet
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
	for _, b := range n.backends {
		c, err := dial(context.Background(), b.Address)
		if err != nil {
			return err
		}
		n.control = append(n.control, c)
	}
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
	go forward(b, c) // ends with either connection
	_, _ = io.Copy(c, b)
}

func forward(b, c net.Conn) {
	_, _ = io.Copy(b, c)
	_ = b.Close()
}

// watch promotes the other node as soon as the master refuses a connection.
func (n *naive) watch() {
	for range time.Tick(5 * time.Millisecond) {
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
	old := n.master
	n.master = 1 - n.master
	n.epoch++
	host, port, _ := net.SplitHostPort(n.backends[n.master].Address)
	if _, err := n.control[n.master].must("REPLICAOF", "NO", "ONE"); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	if _, err := n.control[old].must("REPLICAOF", host, port); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	for c := range n.conns {
		_ = c.Close()
	}
	clear(n.conns)
}
