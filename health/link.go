package health

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// unixPrefix marks the address of a unix socket.
const unixPrefix = "unix:"

// errSpent is returned when the client asks for a second connection: a link is exactly one connection, so that losing it is seen.
var errSpent = errors.New("the connection of this link was lost")

// Link is one connection to one backend, spoken through a client that neither retries nor reconnects.
type Link struct {
	*redis.Conn
	client *redis.Client
	conn   net.Conn
}

// Dial opens a link. The handshake (AUTH) runs with the first command.
func Dial(ctx context.Context, s Settings, b Backend) (*Link, error) {
	network, address := "tcp", b.Address
	if path, isUnix := strings.CutPrefix(address, unixPrefix); isUnix {
		network, address = "unix", path
	}
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, fmt.Errorf("dial backend %s %s: %w", b.Name, b.Address, err)
	}
	var spent atomic.Bool
	options := &redis.Options{
		Addr: b.Address, Protocol: 2, Username: s.Username, Password: s.Password,
		MaxRetries: -1, DialerRetries: 1, PoolSize: 1, PipelinePoolSize: -1, ConnMaxIdleTime: -1,
		// Deadlines are set on the connection by SetDeadline, so that a late answer of a hung server is still read.
		ReadTimeout: -2, WriteTimeout: -2, PoolTimeout: time.Minute, DisableIdentity: true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
		Dialer: func(context.Context, string, string) (net.Conn, error) {
			if spent.Swap(true) {
				return nil, errSpent
			}
			return conn, nil
		},
	}
	client := redis.NewClient(options)
	return &Link{Conn: client.Conn(), client: client, conn: conn}, nil
}

// SetDeadline bounds every pending and future read and write.
func (l *Link) SetDeadline(t time.Time) error {
	return l.conn.SetDeadline(t)
}

// Interrupt ends the connection under a command that waits for its reply; the command fails at once. It may be called from any
// goroutine, and whoever owns the link still has to close it.
func (l *Link) Interrupt() {
	l.conn.Close() //nolint:errcheck // closing it twice is no error here
}

// Close gives the link up. It must not be called while a command is under way; Interrupt may.
func (l *Link) Close() error {
	err := l.conn.Close()
	if errors.Is(err, net.ErrClosed) {
		err = nil
	}
	// The client's own view of the same connection; what it says about closing it twice is no news.
	_, _ = l.Conn.Close(), l.client.Close()
	return err
}
