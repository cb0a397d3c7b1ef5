package failover

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"holdfast/health"
)

// ErrNoHost is returned when a server shall follow one that has no TCP address.
var ErrNoHost = errors.New("a replica can only follow host:port")

// node is one server as the receiver of commands. Commands use a connection opened beforehand, so that a failover does not pay for
// a dial and a login; the fence is a second one, because the first may be waiting for an answer when the server hangs. The school
// is for the tutor, who may talk for long; it is opened when there is something to say.
type node struct {
	settings health.Settings
	backend  health.Backend
	command  line
	spare    line
	school   line
}

// line is a connection that is opened when it is needed and opened again when it broke.
type line struct {
	mu   sync.Mutex // guards link, and is held during a conversation: one at a time
	link *health.Link
}

// talk runs do on an open connection within limit. When a connection opened earlier turns out to be dead, do runs once more on
// a new one; every conversation is idempotent.
func (n *node) talk(ctx context.Context, l *line, limit time.Duration, do func(context.Context, *health.Link) error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	l.mu.Lock()
	defer l.mu.Unlock()
	reused := l.link != nil
	err := n.try(ctx, l, do)
	if err != nil && reused && l.link == nil && ctx.Err() == nil {
		err = n.try(ctx, l, do)
	}
	return err
}

func (n *node) try(ctx context.Context, l *line, do func(context.Context, *health.Link) error) error {
	if l.link == nil {
		link, err := health.Dial(ctx, n.settings, n.backend)
		if err != nil {
			return err
		}
		l.link = link
	}
	link := l.link
	stop := context.AfterFunc(ctx, link.Interrupt)
	err := do(ctx, link)
	if stop() && (err == nil || isReply(err)) {
		return err
	}
	l.link = nil
	link.Close() //nolint:errcheck // it is of no further use
	if err != nil && ctx.Err() != nil {
		// The closed connection is only how the limit was enforced.
		return n.wrap("wait for", context.Cause(ctx))
	}
	return err
}

// isReply tells an error that the server sent from a broken connection, which must not be used again.
func isReply(err error) bool {
	var sent redis.Error
	return errors.As(err, &sent)
}

func (n *node) close() error {
	return errors.Join(n.command.close(), n.spare.close(), n.school.close())
}

func (l *line) close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.link == nil {
		return nil
	}
	link := l.link
	l.link = nil
	return link.Close()
}

// warm opens both connections ahead of need.
func (n *node) warm(ctx context.Context) error {
	ping := func(ctx context.Context, l *health.Link) error { return l.Ping(ctx).Err() }
	return errors.Join(n.talk(ctx, &n.command, commandMax, ping), n.talk(ctx, &n.spare, commandMax, ping))
}

// ask reads INFO.
func (n *node) ask(ctx context.Context, link *health.Link) (health.Info, error) {
	text, err := link.Info(ctx).Result()
	if err != nil {
		return health.Info{}, n.wrap("read INFO of", err)
	}
	return health.ParseInfo(text), nil
}

func (n *node) wrap(verb string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s %s %s: %w", verb, n.backend.Name, n.backend.Address, err)
}

// replicaOf is the command that makes a server follow b.
func replicaOf(b health.Backend) ([]any, error) {
	host, port, err := net.SplitHostPort(b.Address)
	if err != nil || strings.HasPrefix(b.Address, "unix:") {
		return nil, fmt.Errorf("follow %s %s: %w", b.Name, b.Address, ErrNoHost)
	}
	return []any{"REPLICAOF", host, port}, nil
}
