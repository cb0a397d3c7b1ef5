package chaos

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"time"
)

const (
	// poisedDB is the database of the poised connections; the crew uses it as well.
	poisedDB = 5
	// poisedMax bounds the wait for what a poised connection is owed once everything is healed.
	poisedMax = 10 * time.Second
)

// selectPoised takes a connection to the database of the poised ones.
func (w *wire) selectPoised() error {
	_, err := w.must("SELECT", strconv.Itoa(poisedDB))
	return err
}

// poised is connections that each wait in one phase of a request while the fault strikes, and go on after it.
type poised struct {
	tag   string
	poses []*pose
}

// pose is one of them. begin leaves it in its phase; end goes on and judges; check looks at what the master holds.
type pose struct {
	name  string
	wire  *wire
	key   string
	proto int
	large bool    // bytes are moved before the whole is there
	final outcome // of the write it was in the middle of
	begin func(*pose) error
	end   func(*pose, *cycle, *judge) error
	check func(*pose, *wire, *judge) error
}

// errPose is returned when a poised connection got an answer that cannot be.
var errPose = errors.New("wrong answer")

// poise opens one connection for each phase. Where connections end with the proxy, none is opened: there is nothing to see.
func (c *cycle) poise(ctx context.Context) (*poised, error) {
	p := &poised{tag: c.name}
	if c.fault.drops {
		return p, nil
	}
	for i, s := range poses() {
		if s.large && c.fault.clean {
			continue // a planned change waits for what is half sent, and is given up
		}
		s.key, s.proto = "poised:"+c.name+":"+s.name, 2+(i+c.rng.IntN(2))%2
		raw, err := c.crew.dial(ctx)
		if err != nil {
			return p, errors.Join(err, p.close())
		}
		s.wire = newWire(raw)
		p.poses = append(p.poses, s)
		if err := s.open(); err != nil {
			return p, errors.Join(fmt.Errorf("poise %s: %w", s.name, err), p.close())
		}
	}
	return p, nil
}

func (s *pose) open() error {
	if s.proto == 3 {
		if _, err := s.wire.must("HELLO", "3"); err != nil {
			return err
		}
	}
	if err := s.wire.selectPoised(); err != nil {
		return err
	}
	return s.begin(s)
}

// finish lets all go on. A connection that the proxy had to close is counted there, with its reason.
func (p *poised) finish(c *cycle, j *judge) {
	for _, s := range p.poses {
		err := s.wire.SetDeadline(time.Now().Add(poisedMax))
		if err == nil {
			err = s.end(s, c, j)
		}
		switch {
		case err == nil:
			j.verdicts.checked(I1, 1)
		case errors.Is(err, errPose):
			j.verdicts.broken(I1, "poised %s: %v", s.name, err)
		case errors.Is(err, os.ErrDeadlineExceeded):
			j.verdicts.broken(I20, "poised %s: no answer within %s", s.name, poisedMax)
		default:
			c.crew.tally.note("poised %s: disconnected: %v", s.name, err)
		}
		_ = s.wire.Close() // nothing more is owed
	}
}

// check compares the writes of all phases with what the master holds.
func (p *poised) check(final *wire, j *judge) error {
	if err := final.selectPoised(); err != nil {
		return err
	}
	for _, s := range p.poses {
		if s.check == nil {
			continue
		}
		if err := s.check(s, final, j); err != nil {
			return err
		}
	}
	return nil
}

func (p *poised) close() error {
	var errs []error
	for _, s := range p.poses {
		errs = append(errs, s.wire.Close())
	}
	return errors.Join(errs...)
}

// answer reads one reply, and counts an error that every failover may show.
func (s *pose) answer(c *cycle) (value, error) {
	v, err := s.wire.read()
	if err != nil || !v.isError() {
		return v, err
	}
	class := classOf(v.text)
	if !allowed(class, c.fault.errors) {
		return v, fmt.Errorf("%w: -%s", errPose, clip(v.text))
	}
	c.crew.tally.told(class)
	return v, nil
}

// settle notes how a write ended.
func (s *pose) settle(c *cycle) (value, error) {
	v, err := s.answer(c)
	if err == nil {
		s.final = judgeReply(v)
	}
	return v, err
}

// list is what the key holds.
func (s *pose) list(final *wire) ([]string, error) {
	v, err := final.must("LRANGE", s.key, "0", "-1")
	return texts(v), err
}

// agrees compares what a key holds with the outcome of the one write to it.
func (s *pose) agrees(have, want []string, j *judge) {
	there, absent := slices.Equal(have, want), len(have) == 0
	j.verdicts.checked(I4, 1)
	switch {
	case !there && !absent:
		j.verdicts.broken(I3, "poised %s: holds %d elements: %s", s.name, len(have), clip(fmt.Sprint(have)))
	case s.final == ok && !there:
		j.lose(never, "poised %s: acknowledged and lost", s.name)
	case s.final == fail && there:
		j.verdicts.broken(I4, "poised %s: refused and there", s.name)
	}
}

// half sends the first part of a request and gives back the rest.
func (s *pose) half(n int, request ...string) ([]byte, error) {
	whole := appendRequest(nil, request...)
	n = min(n, len(whole)-1)
	_, err := s.wire.Write(whole[:n])
	return whole[n:], err
}

// interrupted is a phase in which a request is sent in two parts, with the fault between them.
func interrupted(name string, at, size int) *pose {
	var rest []byte
	body := bigValue(1, size)
	return &pose{name: name, large: size > 64<<10,
		begin: func(s *pose) (err error) {
			rest, err = s.half(at, "RPUSH", s.key, body)
			return err
		},
		end: func(s *pose, c *cycle, _ *judge) error {
			if _, err := s.wire.Write(rest); err != nil && !errors.Is(err, io.ErrClosedPipe) {
				return err
			}
			_, err := s.settle(c)
			return err
		},
		check: func(s *pose, final *wire, j *judge) error {
			have, err := s.list(final)
			s.agrees(have, []string{body}, j)
			return err
		}}
}
