package admin

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"time"
)

const (
	// headerTimeMax bounds how long a client may take to send its request line and headers: far above any real client,
	// low enough that idle half-open requests do not pile up.
	headerTimeMax = 5 * time.Second
	// readTimeMax bounds a whole request. Bodies are at most bodyBytesMax, so a slow link still makes it.
	readTimeMax = 10 * time.Second
	// orderTimeMax is how long an order may take before it is answered with ErrTimeout. It covers the default hold budget
	// of 10 s several times, so that a verb normally returns with the truth; much higher and a stuck order looks like a dead daemon.
	orderTimeMax = 60 * time.Second
	// writeTimeMax must exceed readTimeMax + orderTimeMax, else the answer to a slow order could not be written.
	writeTimeMax = 75 * time.Second
	// idleTimeMax is how long a kept-alive connection may be silent; watchers ask every second or two.
	idleTimeMax = 60 * time.Second
	// shutdownTimeMax bounds how long Serve waits for requests under way once it is told to stop. Orders see their context
	// cancelled at the same moment, so they return long before.
	shutdownTimeMax = 5 * time.Second
	// headerBytesMax is ample for a token and a few headers; the default of the standard library is a megabyte.
	headerBytesMax = 16 << 10
)

// Options is what a Server needs. Source and Operator are required.
type Options struct {
	Source   Source
	Operator Operator
	Ready    func() error // nil when the daemon can serve or hold; nil func: always ready
	Token    string       // bearer token that /v1 asks for; empty: none, only right on loopback or a unix socket
	Hosts    []string     // host names besides localhost and this machine's own under which the API may be addressed
	Logger   *slog.Logger // nil: discard
	Version  string       // of the daemon; used when Source leaves Status.Version empty
}

// Server is the admin API. Make it with New, run it with Serve; one Server may serve several listeners.
type Server struct {
	source   Source
	operator Operator
	ready    func() error
	token    *[sha256.Size]byte // hash of the bearer token; nil: none is asked for
	hosts    map[string]bool    // lower-case names that a Host header may carry
	log      *slog.Logger
	version  string
}

// New checks nothing outside the process and starts nothing.
func New(o Options) *Server {
	s := &Server{source: o.Source, operator: o.Operator, ready: o.Ready, log: o.Logger, version: o.Version, hosts: allowedHosts(o.Hosts)}
	if o.Token != "" {
		hash := sha256.Sum256([]byte(o.Token))
		s.token = &hash
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.ready == nil {
		s.ready = func() error { return nil }
	}
	return s
}

func allowedHosts(extra []string) map[string]bool {
	hosts := map[string]bool{"localhost": true}
	if name, err := os.Hostname(); err == nil {
		hosts[hostKey(name)] = true
	}
	for _, name := range extra {
		hosts[hostKey(name)] = true
	}
	return hosts
}

// Serve answers requests on ln until ctx ends, then returns nil once every request under way is answered or shutdownTimeMax
// has passed. It closes ln in every case. Orders see ctx, not the client's connection.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	srv := &http.Server{
		Handler:           s.handler(ctx, ln.Addr().Network() == "unix"),
		ReadHeaderTimeout: headerTimeMax,
		ReadTimeout:       readTimeMax,
		WriteTimeout:      writeTimeMax,
		IdleTimeout:       idleTimeMax,
		MaxHeaderBytes:    headerBytesMax,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
		ConnContext:       withActor,
	}
	stopped := make(chan error, 1)
	var closing sync.WaitGroup
	serving, done := context.WithCancel(ctx)
	closing.Go(func() { stopped <- shutdownAfter(ctx, serving, srv) })
	err := srv.Serve(ln)
	done()
	closing.Wait()
	if !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve admin on %s: %w", ln.Addr(), err)
	}
	return <-stopped
}

// shutdownAfter waits until serving ends, which is when ctx ends or the listener failed, and closes srv in an orderly way.
func shutdownAfter(ctx, serving context.Context, srv *http.Server) error {
	<-serving.Done()
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeMax)
	defer cancel()
	if err := srv.Shutdown(bounded); err != nil {
		return errors.Join(fmt.Errorf("shut down admin: %w", err), srv.Close())
	}
	return nil
}
