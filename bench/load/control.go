package load

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"
)

const (
	// fillBytes is how much is written before its replies are read.
	fillBytes = 256 << 10
	// removeKeys is how many keys one UNLINK names.
	removeKeys = 500
)

// ErrUnusable is returned when the address does not behave as a Redis server that lets us in.
var ErrUnusable = errors.New("not usable")

// control is a connection for what comes before and after the load: it is slow and simple.
type control struct {
	net.Conn
	address string
	limit   time.Duration // of one exchange
	buf     []byte
}

// openControl connects, logs in and asks for a PONG.
func openControl(ctx context.Context, o Options) (*control, error) {
	network, address := "tcp", o.Address
	if path, ok := strings.CutPrefix(address, unixPrefix); ok {
		network, address = "unix", path
	}
	d := net.Dialer{Timeout: o.Timeout}
	conn, err := d.DialContext(ctx, network, address)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", o.Address, err)
	}
	c := &control{Conn: conn, address: o.Address, limit: o.Timeout, buf: make([]byte, 64<<10)}
	words := [][]string{{"PING"}}
	if o.Database != 0 {
		words = append([][]string{{"SELECT", strconv.Itoa(o.Database)}}, words...)
	}
	if o.Username != "" {
		words = append([][]string{{"AUTH", o.Username, o.Password}}, words...)
	} else if o.Password != "" {
		words = append([][]string{{"AUTH", o.Password}}, words...)
	}
	for _, w := range words {
		if err := c.exchange(appendCommand(nil, len(w), w...), 1); err != nil {
			return nil, errors.Join(fmt.Errorf("%s to %s: %w", w[0], o.Address, err), conn.Close())
		}
	}
	return c, nil
}

// exchange sends requests and reads their replies. An error among them is an error.
func (c *control) exchange(requests []byte, replies int) error {
	if err := c.SetDeadline(time.Now().Add(c.limit)); err != nil {
		return err
	}
	if _, err := c.Write(requests); err != nil {
		return err
	}
	var s scanner
	s.begin()
	for replies > 0 {
		n, err := c.Read(c.buf)
		if err != nil {
			return err
		}
		for data := c.buf[:n]; len(data) > 0; {
			rest, complete, err := s.next(data)
			if err != nil {
				return err
			}
			if data = rest; !complete {
				continue
			}
			if len(s.failure) > 0 {
				return fmt.Errorf("%w: -%s", ErrUnusable, s.failure)
			}
			s.begin()
			replies--
		}
	}
	return nil
}

// fill writes every value that the mix reads.
func (c *control) fill(ctx context.Context, o Options) error {
	w := newWriter(o, 0)
	var batch []byte
	var replies int
	store := func(key, value []byte) error {
		batch, replies = w.store(batch, key, value), replies+1
		if len(batch) < fillBytes {
			return nil
		}
		err := c.exchange(batch, replies)
		batch, replies = batch[:0], 0
		return errors.Join(err, context.Cause(ctx))
	}
	var err error
	for i := 0; i < o.Keys && err == nil && o.Mix.small(); i++ {
		err = store(w.name("small:", i), w.small)
	}
	for i := 0; i < bigKeys && err == nil && o.Mix[Big] > 0; i++ {
		err = store(w.name("big:", i), w.big)
	}
	if err == nil {
		err = c.exchange(batch, replies)
	}
	if err != nil {
		return fmt.Errorf("fill %s: %w", c.address, err)
	}
	return nil
}

// small tells that a kind of the mix uses the small values.
func (m Mix) small() bool { return m[Get]+m[Set]+m[Pipeline]+m[Transaction] > 0 }

// remove removes every key of a load.
func (c *control) remove(o Options) error {
	w := newWriter(o, 0)
	var err error
	for group, n := range map[string]int{"small:": o.Keys, "big:": bigKeys, "jobs:": feeders, "count:": counters} {
		for from := 0; from < n && err == nil; from += removeKeys {
			until := min(from+removeKeys, n)
			batch := appendCommand(nil, 1+until-from, "UNLINK")
			for i := from; i < until; i++ {
				batch = appendBulk(batch, w.name(group, i))
			}
			err = c.exchange(batch, 1)
		}
	}
	if err != nil {
		return fmt.Errorf("remove the keys at %s: %w", c.address, err)
	}
	return nil
}
