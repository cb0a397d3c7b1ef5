package bench

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// readyMax is how long a fresh pair may take until its replica streams. The master may hold the stream back for one
// second after the replica says that its link is up.
const readyMax = 20 * time.Second

// readyKey is the key of the writes that prove the stream. It belongs to no client of a load.
const readyKey = "rig:ready"

// PairOptions say what a pair is made of.
type PairOptions struct {
	Replicas int      // 0 means one
	Args     []string // for each server
}

// Pair is one master and its replicas, as they were started; after a failover Master is only a name.
type Pair struct {
	Master  *Server
	Replica *Server // the first of the replicas
	Servers []*Server
}

// StartPair starts the servers below dir and returns when the replicas stream.
func StartPair(ctx context.Context, dir string, opts PairOptions) (*Pair, error) {
	p := &Pair{}
	for i := range 1 + max(1, opts.Replicas) {
		server, err := NewServer(dir, ServerOptions{Name: fmt.Sprintf("redis%d", i+1), ReplicaOf: p.Master, Args: opts.Args})
		if err != nil {
			return nil, errors.Join(err, p.Close())
		}
		if p.Master == nil {
			p.Master = server
		} else if p.Replica == nil {
			p.Replica = server
		}
		p.Servers = append(p.Servers, server)
		if err := server.Start(ctx); err != nil {
			return nil, errors.Join(err, p.Close())
		}
	}
	if err := p.WaitReady(ctx, p.Master); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

// WaitReady returns when a write has reached all replicas of master through the stream. Neither the replica's "link up"
// nor one WAIT proves that: the master may hold the stream back for a second after a transfer, and WAIT counts a write
// that was part of the transfer. Only a second write, made after the first was counted, must have come by the stream.
func (p *Pair) WaitReady(ctx context.Context, master *Server) error {
	err := await(ctx, readyMax, pollEvery, func(ctx context.Context) error {
		c, err := master.dial(ctx)
		if err != nil {
			return err
		}
		defer c.Close()
		return errors.Join(p.reaches(c), p.reaches(c))
	})
	if err != nil {
		return fmt.Errorf("wait for the replicas of %s: %w", master.Address(), err)
	}
	return nil
}

// reaches makes one write and asks how many replicas have it.
func (p *Pair) reaches(c *conn) error {
	if _, err := c.must("INCR", readyKey); err != nil {
		return err
	}
	rep, err := c.must("WAIT", strconv.Itoa(len(p.Servers)-1), "100")
	if err == nil && rep.num < int64(len(p.Servers)-1) {
		err = fmt.Errorf("%d of %d replicas have it", rep.num, len(p.Servers)-1)
	}
	return err
}

// ByAddress finds the server that listens on address.
func (p *Pair) ByAddress(address string) (*Server, error) {
	for _, s := range p.Servers {
		if s.Address() == address {
			return s, nil
		}
	}
	return nil, fmt.Errorf("find server: none of the pair listens on %q", address)
}

// Other is the node of a two-node pair that s is not.
func (p *Pair) Other(s *Server) *Server {
	if s == p.Master {
		return p.Replica
	}
	return p.Master
}

// Converged reports whether master is the only master and all others hold the same keys at the same offset.
func (p *Pair) Converged(ctx context.Context, master *Server, limit time.Duration) error {
	want := ""
	for _, s := range p.Servers {
		if s == master {
			continue
		}
		if err := s.WaitInSync(ctx, master, limit); err != nil {
			return err
		}
		have, err := s.keys(ctx)
		if err != nil {
			return err
		}
		if want, err = master.keys(ctx); err != nil {
			return err
		}
		if have != want {
			return fmt.Errorf("%s holds keys %s, %s holds %s", s.Name, have, master.Name, want)
		}
	}
	return nil
}

// Close ends all servers.
func (p *Pair) Close() error {
	var errs []error
	for _, s := range p.Servers {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}
