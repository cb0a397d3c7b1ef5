package bench

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"
)

const (
	streamsEach = 12 // connections of each kind: enough to share loops, few enough for megabytes each
	streamSize  = 3 << 20
	// streamSizeStep makes sizes odd, so that no boundary of a buffer is met twice.
	streamSizeStep = 4099
	gateShutFor    = time.Second
)

// tcpScene is two byte stream servers behind an ordered pool.
type tcpScene struct {
	first, second *streamServer
	daemon        *Daemon
	dir           string
	report        Report
}

// runTCP drills a pool that knows nothing of what it carries.
func runTCP(ctx context.Context, o Options) (r Report, err error) {
	s := &tcpScene{}
	defer func() { err = errors.Join(err, s.close()) }()
	if err := s.build(ctx, o); err != nil {
		return s.report, err
	}
	s.carry(ctx)
	for _, act := range []func(context.Context) error{s.loseFirst, s.loseBoth} {
		if err := act(ctx); err != nil {
			s.report.promise(false, "the fault runs its course", "%v", err)
		}
	}
	s.report.Log = s.daemon.Tail(40)
	return s.report, nil
}

func (s *tcpScene) build(ctx context.Context, o Options) (err error) {
	if s.dir, err = os.MkdirTemp("", "holdfast-drill-"); err != nil {
		return fmt.Errorf("make drill directory: %w", err)
	}
	if s.first, err = newStreamServer("first"); err != nil {
		return err
	}
	if s.second, err = newStreamServer("second"); err != nil {
		return err
	}
	if err := errors.Join(s.first.Start(ctx), s.second.Start(ctx)); err != nil {
		return err
	}
	s.daemon, err = NewDaemon(s.dir, DaemonOptions{Binary: o.Binary, Protocol: "tcp", Failover: "ordered",
		Backends: []BackendRef{{"first", s.first.address}, {"second", s.second.address}}})
	if err != nil {
		return err
	}
	if err := s.daemon.Start(); err != nil {
		return err
	}
	return s.daemon.WaitServing(ctx)
}

// carry moves bytes both ways on a healthy pool, with each side ending first.
func (s *tcpScene) carry(ctx context.Context) {
	errs := make([]error, 2*streamsEach)
	var streams sync.WaitGroup
	for i := range streamsEach {
		streams.Add(2)
		go s.carryEcho(ctx, i, &errs[2*i], &streams)   // awaited below
		go s.carryGive(ctx, i, &errs[2*i+1], &streams) // awaited below
	}
	streams.Wait()
	err := errors.Join(errs...)
	s.report.promise(err == nil, "bytes arrive exact in both directions, whichever side ends first", "%s", orYes(err))
	err = await(ctx, streamMax, pollEvery, func(context.Context) error {
		if got := s.first.received(); len(got) != streamsEach {
			return fmt.Errorf("%d of %d ends arrived", len(got), streamsEach)
		}
		return nil
	})
	for _, n := range s.first.received() {
		if n != streamSize {
			err = errors.Join(err, fmt.Errorf("%w: got %d, want %d", errBytes, n, streamSize))
		}
	}
	s.report.promise(err == nil, "what a client sends after the server's end arrives too", "%s", orYes(err))
}

func (s *tcpScene) carryEcho(ctx context.Context, i int, err *error, done *sync.WaitGroup) {
	defer done.Done()
	*err = echoStream(ctx, s.daemon.Address(), uint64(i), streamSize+i*streamSizeStep)
}

func (s *tcpScene) carryGive(ctx context.Context, _ int, err *error, done *sync.WaitGroup) {
	defer done.Done()
	*err = giveStream(ctx, s.daemon.Address(), streamSize)
}

// loseFirst kills the active server under clients that have not exchanged anything yet.
func (s *tcpScene) loseFirst(ctx context.Context) error {
	var idle []net.Conn
	for range streamsEach {
		c, err := dialStream(ctx, s.daemon.Address())
		if err != nil {
			return err
		}
		defer c.Close()
		idle = append(idle, c)
	}
	busy, err := dialStream(ctx, s.daemon.Address())
	if err != nil {
		return err
	}
	defer busy.Close()
	name, err := askName(busy)
	s.report.promise(err == nil && name == "first", "the first healthy backend serves", "%s", orText(name, err))
	if err := s.first.Kill(); err != nil {
		return err
	}
	_, err = askName(busy)
	s.report.promise(err != nil && !errors.Is(err, os.ErrDeadlineExceeded), "a stream that cannot be moved is closed", "%v", err)
	var errs []error
	for _, c := range idle {
		name, err := askName(c)
		if err == nil && name != "second" {
			err = fmt.Errorf("answered by %q", name)
		}
		errs = append(errs, err)
	}
	err = errors.Join(errs...)
	s.report.promise(err == nil, "a client that has exchanged nothing is moved, not closed", "%s", orYes(err))
	return nil
}

// loseBoth opens connections while nobody can serve them.
func (s *tcpScene) loseBoth(ctx context.Context) error {
	if err := s.second.Kill(); err != nil {
		return err
	}
	var waiting []net.Conn
	for range streamsEach {
		c, err := dialStream(ctx, s.daemon.Address())
		if err != nil {
			return err
		}
		defer c.Close()
		waiting = append(waiting, c)
	}
	if err := pause(ctx, gateShutFor); err != nil {
		return err
	}
	if err := s.second.Start(ctx); err != nil {
		return err
	}
	var errs []error
	for _, c := range waiting {
		_, err := askName(c)
		errs = append(errs, err)
	}
	err := errors.Join(errs...)
	s.report.promise(err == nil, "new connections wait while no backend is healthy, and are served then", "%s", orYes(err))
	return nil
}

func (s *tcpScene) close() error {
	var errs []error
	if s.daemon != nil {
		errs = append(errs, s.daemon.Close())
	}
	for _, server := range []*streamServer{s.first, s.second} {
		if server != nil {
			errs = append(errs, server.Kill())
		}
	}
	if s.dir != "" {
		errs = append(errs, os.RemoveAll(s.dir))
	}
	return errors.Join(errs...)
}

// orText is text, or why there is none.
func orText(text string, err error) string {
	if err != nil {
		return err.Error()
	}
	return text
}
