package chaos

import (
	"errors"
	"fmt"
	"net"
	"os"
	"testing"
	"time"
)

// TestSendQueueOfARealConnection: what nobody reads stays in the queue of the sender once the receiver's window is full.
func TestSendQueueOfARealConnection(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	sender, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer sender.Close()
	receiver, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer receiver.Close()
	from, to := sender.LocalAddr().String(), sender.RemoteAddr().String()
	queued := func() uint64 {
		t.Helper()
		table, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/tcp", os.Getpid()))
		if err != nil {
			t.Fatal(err)
		}
		n, err := sendQueue(string(table), from, to)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := queued(); n != 0 {
		t.Errorf("got %d bytes queued before anything was written", n)
	}
	if err := sender.SetWriteDeadline(time.Now().Add(100 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if _, err := sender.Write(make([]byte, 64<<20)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("got %v, want more than the kernel holds", err)
	}
	if n := queued(); n == 0 {
		t.Error("got nothing queued that nobody has read")
	}
	if _, err := sendQueue("  sl  local_address rem_address   st tx_queue rx_queue\n", from, to); !errors.Is(err, errNoSocket) {
		t.Errorf("got %v, want %v", err, errNoSocket)
	}
}
