package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"time"
)

// queryMax bounds one question to a server that is expected to answer at once.
const queryMax = 5 * time.Second

// readBufferSize holds the headers and small bodies of a client's replies, in bytes.
const readBufferSize = 4096

// errReply is returned when a server answered a rig command with an error.
var errReply = errors.New("error reply")

// conn is a connection with exact control over the bytes that are written and over what each reply belongs to.
type conn struct {
	net.Conn
	r *bufio.Reader
	w []byte
}

func newConn(c net.Conn) *conn { return &conn{Conn: c, r: bufio.NewReaderSize(c, readBufferSize)} }

// dial connects to a TCP address.
func dial(ctx context.Context, address string) (*conn, error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("dial %s: %w", address, err)
	}
	return newConn(c), nil
}

// do sends one request and reads its reply, within limit.
func (c *conn) do(limit time.Duration, args ...string) (reply, error) {
	if err := c.SetDeadline(time.Now().Add(limit)); err != nil {
		return reply{}, fmt.Errorf("%s: %w", args[0], err)
	}
	c.w = appendRequest(c.w[:0], args...)
	if _, err := c.Write(c.w); err != nil {
		return reply{}, fmt.Errorf("%s: %w", args[0], err)
	}
	rep, err := readReply(c.r)
	if err != nil {
		return reply{}, fmt.Errorf("%s: %w", args[0], err)
	}
	return rep, nil
}

// must is do for commands whose error reply is a failure of the rig itself.
func (c *conn) must(args ...string) (reply, error) {
	rep, err := c.do(queryMax, args...)
	if err == nil && rep.isError() {
		err = fmt.Errorf("%s: %w: %s", args[0], errReply, rep.text)
	}
	return rep, err
}
