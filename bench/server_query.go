package bench

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"
)

// pollEvery is how often a condition on a server is looked at: well below the times that are measured, and cheap.
const pollEvery = 5 * time.Millisecond

// Dial connects to the server directly, from where the rig is.
func (s *Server) Dial(ctx context.Context) (net.Conn, error) {
	return s.place.dial(ctx, "tcp", s.Address())
}

func (s *Server) dial(ctx context.Context) (*conn, error) {
	c, err := s.Dial(ctx)
	if err != nil {
		return nil, fmt.Errorf("dial %s: %w", s.Address(), err)
	}
	return newConn(c), nil
}

// do sends one command on a connection of its own and gives back the answer, which may be an error reply.
func (s *Server) do(ctx context.Context, args ...string) (reply, error) {
	c, err := s.dial(ctx)
	if err != nil {
		return reply{}, err
	}
	defer c.Close()
	rep, err := c.do(queryMax, args...)
	if err != nil {
		return reply{}, fmt.Errorf("ask %s at %s: %w", s.Name, s.Address(), err)
	}
	return rep, nil
}

// Do sends one command and returns its answer as text; an error reply is an error.
func (s *Server) Do(ctx context.Context, args ...string) (string, error) {
	rep, err := s.do(ctx, args...)
	if err != nil {
		return "", err
	}
	if rep.isError() {
		return "", fmt.Errorf("%s at %s: %w: %s", args[0], s.Address(), errReply, rep.text)
	}
	if rep.kind == ':' || rep.kind == '*' || rep.null {
		return rep.String(), nil
	}
	return rep.text, nil
}

// Save writes the snapshot that RestartFromSnapshot comes back with.
func (s *Server) Save(ctx context.Context) error {
	_, err := s.Do(ctx, "SAVE")
	return err
}

// Info returns one section of INFO as a map.
func (s *Server) Info(ctx context.Context, section string) (map[string]string, error) {
	text, err := s.Do(ctx, "INFO", section)
	if err != nil {
		return nil, err
	}
	info := make(map[string]string)
	for line := range strings.Lines(text) {
		if key, value, ok := strings.Cut(strings.TrimRight(line, "\r\n"), ":"); ok {
			info[key] = value
		}
	}
	return info, nil
}

// WaitRole returns when the server says it has the role ("master" or "slave", as INFO spells them).
func (s *Server) WaitRole(ctx context.Context, role string, limit time.Duration) error {
	return await(ctx, limit, pollEvery, s.roleCheck(role))
}

func (s *Server) roleCheck(role string) func(context.Context) error {
	return func(ctx context.Context) error {
		info, err := s.Info(ctx, "replication")
		if err != nil {
			return err
		}
		if got := info["role"]; got != role {
			return fmt.Errorf("%s is %q, not %q", s.Name, got, role)
		}
		return nil
	}
}

// WaitInSync returns when a replica has everything its master has: the link is up, no transfer runs, and the offsets agree.
func (s *Server) WaitInSync(ctx context.Context, master *Server, limit time.Duration) error {
	return await(ctx, limit, pollEvery, func(ctx context.Context) error {
		own, err := s.Info(ctx, "replication")
		if err != nil {
			return err
		}
		other, err := master.Info(ctx, "replication")
		if err != nil {
			return err
		}
		switch {
		case own["role"] != "slave":
			return fmt.Errorf("%s is %q", s.Name, own["role"])
		case own["master_link_status"] != "up" || own["master_sync_in_progress"] != "0":
			return fmt.Errorf("%s: link %s, sync in progress %s", s.Name, own["master_link_status"], own["master_sync_in_progress"])
		case own["master_replid"] != other["master_replid"]:
			return fmt.Errorf("%s follows another history than %s", s.Name, master.Name)
		case own["slave_repl_offset"] != other["master_repl_offset"]:
			return fmt.Errorf("%s is at %s, %s at %s", s.Name, own["slave_repl_offset"], master.Name, other["master_repl_offset"])
		}
		return nil
	})
}

// keys counts the keys of all databases, which two nodes with the same data agree on.
func (s *Server) keys(ctx context.Context) (string, error) {
	info, err := s.Info(ctx, "keyspace")
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for db := range 16 {
		stat := info[fmt.Sprintf("db%d", db)]
		count, _, _ := strings.Cut(strings.TrimPrefix(stat, "keys="), ",")
		fmt.Fprintf(&b, "%s ", count)
	}
	return b.String(), nil
}

// clients is how many connections the server has from anybody but its replicas.
func (s *Server) clients(ctx context.Context) (int, error) {
	info, err := s.Info(ctx, "clients")
	if err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(info["connected_clients"])
	if err != nil {
		return 0, fmt.Errorf("count clients of %s: %w", s.Name, err)
	}
	return n, nil
}
