package admin

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// unixClient speaks HTTP over the socket at path.
func unixClient(t *testing.T, path string) *http.Client {
	tr := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", path)
	}}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}
}

func serve(t *testing.T, s *Server, address string) (net.Addr, func() error) {
	t.Helper()
	ln, err := Listen(t.Context(), address)
	if err != nil {
		t.Fatalf("listen: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, ln) }()
	return ln.Addr(), func() error { cancel(); return <-ended }
}

func TestServeOnUnixSocketNamesTheActor(t *testing.T) {
	var log bytes.Buffer
	d := &fakeDaemon{}
	s := New(Options{Source: d, Operator: d, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	path := filepath.Join(t.TempDir(), "admin.sock")
	_, stop := serve(t, s, "unix:"+path)

	info, err := os.Stat(path)
	if err != nil {
		t.Fatalf("stat socket: %v", err)
	}
	if got, want := info.Mode().Perm(), fs.FileMode(0o660); got != want {
		t.Errorf("mode: got %o, want %o", got, want)
	}
	resp, err := unixClient(t, path).Post("http://whatever/v1/pools/cache/hold", "application/json", nil)
	if err != nil {
		t.Fatalf("post: %v", err)
	}
	resp.Body.Close()
	if got, want := resp.StatusCode, 200; got != want {
		t.Errorf("status: got %d, want %d", got, want)
	}
	if err := stop(); err != nil {
		t.Errorf("serve: %v", err)
	}
	if want := fmt.Sprintf("uid %d pid %d", os.Getuid(), os.Getpid()); !strings.Contains(log.String(), want) {
		t.Errorf("log lacks %q: %s", want, log.String())
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("socket file after the end: got %v, want none", err)
	}
}

func TestListenReplacesOnlyAStaleSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "admin.sock")
	first, err := Listen(t.Context(), "unix:"+path)
	if err != nil {
		t.Fatalf("listen: %v", err)
	}
	if _, err := Listen(t.Context(), "unix:"+path); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("listen beside a living socket: got %v, want %v", err, syscall.EADDRINUSE)
	}
	first.(*net.UnixListener).SetUnlinkOnClose(false)
	first.Close()
	second, err := Listen(t.Context(), "unix:"+path)
	if err != nil {
		t.Fatalf("listen over a stale socket: %v", err)
	}
	second.Close()

	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(t.Context(), "unix:"+path); err == nil {
		t.Error("listen over a file: got no error")
	}
	if got, _ := os.ReadFile(path); string(got) != "precious" {
		t.Errorf("file: got %q, want it untouched", got)
	}
}

func TestListenNamesTheAddressInUse(t *testing.T) {
	ln, err := Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatalf("listen: %v", err)
	}
	defer ln.Close()
	address := ln.Addr().String()
	if _, err = Listen(t.Context(), address); !errors.Is(err, syscall.EADDRINUSE) || !strings.Contains(err.Error(), address) {
		t.Errorf("got %v, want an error that names %s", err, address)
	}
}

func TestOrderOutlivesItsClientButNotTheDaemon(t *testing.T) {
	d := &fakeDaemon{block: make(chan struct{}), ended: make(chan struct{})}
	addr, stop := serve(t, New(Options{Source: d, Operator: d}), "127.0.0.1:0")
	ctx, hangUp := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, "POST", "http://"+addr.String()+"/v1/pools/cache/switchover", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	answered := make(chan error, 1)
	go func() {
		resp, err := http.DefaultClient.Do(r)
		if err == nil {
			resp.Body.Close()
		}
		answered <- err
	}()
	<-d.block
	hangUp()
	if err := <-answered; !errors.Is(err, context.Canceled) {
		t.Errorf("client: got %v, want %v", err, context.Canceled)
	}
	select {
	case <-d.ended:
		t.Error("the order ended with its client")
	case <-time.After(100 * time.Millisecond):
	}
	started := time.Now()
	if err := stop(); err != nil {
		t.Errorf("serve: %v", err)
	}
	if got := time.Since(started); got >= shutdownTimeMax {
		t.Errorf("shutdown took %s: the order was not told to end", got)
	}
}

func TestServeReportsABrokenListener(t *testing.T) {
	ln, err := Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatalf("listen: %v", err)
	}
	ln.Close()
	d := &fakeDaemon{}
	if err := New(Options{Source: d, Operator: d}).Serve(t.Context(), ln); !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v, want %v", err, net.ErrClosed)
	}
}
