package admin

import (
	"context"
	"fmt"
	"net"
	"net/http"

	"golang.org/x/sys/unix"
)

// actorKey is the context key of the name under which the peer of a connection goes into the log.
type actorKey struct{}

// withActor names the peer once per connection: on a unix socket by the user and process that the kernel vouches for,
// elsewhere by its address.
func withActor(ctx context.Context, c net.Conn) context.Context {
	actor := c.RemoteAddr().String()
	if u, ok := c.(*net.UnixConn); ok {
		actor = peerOf(u)
	}
	return context.WithValue(ctx, actorKey{}, actor)
}

func actorOf(r *http.Request) string {
	actor, _ := r.Context().Value(actorKey{}).(string)
	return actor
}

func peerOf(c *net.UnixConn) string {
	const unknown = "unix peer"
	raw, err := c.SyscallConn()
	if err != nil {
		return unknown
	}
	var cred *unix.Ucred
	var credErr error
	err = raw.Control(func(fd uintptr) { cred, credErr = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED) })
	if err != nil || credErr != nil {
		return unknown
	}
	return fmt.Sprintf("uid %d pid %d", cred.Uid, cred.Pid)
}
