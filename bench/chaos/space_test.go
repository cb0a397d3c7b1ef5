package chaos

import (
	"context"
	"net"
	"os"
	"testing"
	"time"
)

// TestNetworkDropsOneWay needs root: namespaces are the point of it.
func TestNetworkDropsOneWay(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("network namespaces need root")
	}
	n, err := newNetwork(t.Context(), "a", "b")
	if err != nil {
		t.Fatal(err)
	}
	defer n.close()
	var ln net.Listener
	a, b := n.hosts["a"], n.hosts["b"]
	err = elsewhere(func() (err error) {
		if err := enter(a); err != nil {
			return err
		}
		ln, err = net.Listen("tcp", a.address+":7000")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	reach := func() error {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		c, err := b.dial(ctx, "tcp", a.address+":7000")
		if err != nil {
			return err
		}
		return c.Close()
	}
	// A bridge that was just made, or healed, may swallow the first packets.
	reachSoon := func() (err error) {
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for begin := time.Now(); time.Since(begin) < 10*time.Second; <-tick.C {
			if err = reach(); err == nil {
				return nil
			}
		}
		return err
	}
	if err := reachSoon(); err != nil {
		t.Errorf("before the drop: %v", err)
	}
	if err := b.deafTo(t.Context(), a.address); err != nil {
		t.Fatal(err)
	}
	if reach() == nil {
		t.Error("got a connection from a host that cannot hear")
	}
	if err := n.heal(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := reachSoon(); err != nil {
		t.Errorf("after the drop: %v", err)
	}
}
