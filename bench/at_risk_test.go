package bench

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"holdfast/bench/testbed"
)

const (
	// riskBody makes each write of the test as large in the stream as this, in bytes.
	riskBody = 4 << 10
	// riskWrites is how many are acknowledged after the kernel's buffers are full, and can only be lost.
	riskWrites = 300
	// riskKept is what the master must keep before its kernel surely takes no more, in bytes: the stream is kept in blocks far
	// smaller than this, and the last of them counts although it was sent.
	riskKept = 1 << 20
	// riskMax bounds the writes that fill the kernel's buffers, which hold some megabytes.
	riskMax = 20_000
)

// TestReceiptDeclaresWhatAMasterKeptInItsMemory kills a master that keeps stream for a replica that does not read. Nothing can
// bring that part back; the receipt must declare it.
func TestReceiptDeclaresWhatAMasterKeptInItsMemory(t *testing.T) {
	ctx := t.Context()
	p := startPair(t, PairOptions{})
	d, err := NewDaemon(t.TempDir(), DaemonOptions{Binary: testbed.Binary(t), Backends: p.refs(), MaxLoss: "256MiB"})
	check(t, err)
	t.Cleanup(func() { check(t, d.Close()) })
	check(t, d.Start())
	check(t, d.WaitServing(ctx))
	c, err := dial(ctx, d.Address())
	check(t, err)
	t.Cleanup(func() { check(t, c.Close()) })

	check(t, p.Replica.Freeze())
	acked := writeUntilKept(t, c, p.Master)
	check(t, p.Master.Kill())
	check(t, p.Replica.Wake())
	check(t, await(ctx, servedMax, pollEvery, func(ctx context.Context) error {
		status, err := d.Status(ctx)
		if err == nil && (status.Master != p.Replica.Name || status.Gate != gateOpen || status.Receipt == nil) {
			err = fmt.Errorf("%s serves, gate %s", status.Master, status.Gate)
		}
		return err
	}))
	status, err := d.Status(ctx)
	check(t, err)
	r := status.Receipt
	lost := acked - present(t, p.Replica, acked)
	t.Logf("%d of %d acknowledged writes are lost; the receipt declares %d at risk (%s), and %d bytes", lost, acked, r.AtRisk,
		r.AtRiskBound, r.BytesLost)
	if lost < riskWrites {
		t.Errorf("got %d lost, want the %d that never left the master: the fault was none", lost, riskWrites)
	}
	if declared := r.AtRisk + int(r.BytesLost/riskBody); lost > declared || r.AtRiskBound != "probe" {
		t.Errorf("got %d lost and %d declared by bound %q, want all declared since the last probe", lost, declared, r.AtRiskBound)
	}
}

// writeUntilKept writes through the proxy until the master keeps stream in its own memory, and a little on. It returns how many
// writes were acknowledged.
func writeUntilKept(t *testing.T, c *conn, master *Server) (acked int) {
	t.Helper()
	body := strings.Repeat("r", riskBody)
	for left := riskWrites; left > 0; {
		if acked > riskMax {
			t.Fatalf("the kernel has taken %d writes of %d bytes for a replica that does not read", acked, riskBody)
		}
		_, err := c.must("SET", "risk:"+strconv.Itoa(acked), body)
		check(t, err)
		acked++
		if left < riskWrites {
			left--
		} else if acked%50 == 0 {
			list, err := master.Do(t.Context(), "CLIENT", "LIST", "TYPE", "replica")
			check(t, err)
			if keeps(t, list) > riskKept {
				left--
			}
		}
	}
	return acked
}

// keeps reads from CLIENT LIST how much a server keeps for its one replica.
func keeps(t *testing.T, list string) int {
	t.Helper()
	_, rest, _ := strings.Cut(list, " omem=")
	text, _, _ := strings.Cut(rest, " ")
	n, err := strconv.Atoi(text)
	check(t, err)
	return n
}

// present counts the keys of the test that a server has.
func present(t *testing.T, s *Server, written int) (n int) {
	t.Helper()
	c, err := s.dial(t.Context())
	check(t, err)
	defer c.Close()
	for i := range written {
		rep, err := c.do(5*time.Second, "EXISTS", "risk:"+strconv.Itoa(i))
		check(t, err)
		n += int(rep.num)
	}
	return n
}
