package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

const (
	// serverDefault is where a daemon listens unless its configuration says otherwise.
	serverDefault = "http://127.0.0.1:7070"
	// serverEnv and tokenFileEnv stand in for the flags --server and --token-file.
	serverEnv    = "HOLDFAST_SERVER"
	tokenFileEnv = "HOLDFAST_TOKEN_FILE"
	// viewTimeMax is how long a daemon may take to show its state. It answers from memory; 10 s is a sick machine.
	viewTimeMax = 10 * time.Second
	// orderTimeMax is a little more than the daemon itself gives an order, so that its own answer arrives.
	orderTimeMax = 70 * time.Second
	// dialTimeMax separates a machine that is gone from one that is slow.
	dialTimeMax = 5 * time.Second
	// unixPrefix marks the address of a unix socket.
	unixPrefix = "unix:"
)

// linkFlags say which daemon to talk to and how.
type linkFlags struct {
	server, tokenFile string
	timeout           time.Duration
}

func (l *linkFlags) register(cmd *cobra.Command) {
	flags := cmd.PersistentFlags()
	flags.StringVar(&l.server, "server", "", "daemon to talk to, URL or unix:/path (default $"+serverEnv+" or "+serverDefault+")")
	flags.StringVar(&l.tokenFile, "token-file", "", "file with the bearer token (default $"+tokenFileEnv+")")
	wait := fmt.Sprintf("wait this long for an answer (default %s, for orders %s)", viewTimeMax, orderTimeMax)
	flags.DurationVar(&l.timeout, "timeout", 0, wait)
}

// client builds the client of the daemon that flags and environment name.
func (l *linkFlags) client() (*client, error) {
	server := firstSet(l.server, os.Getenv(serverEnv), serverDefault)
	token, err := readToken(firstSet(l.tokenFile, os.Getenv(tokenFileEnv)))
	if err != nil {
		return nil, err
	}
	if l.timeout < 0 {
		return nil, usagef("--timeout %s: want more than 0s", l.timeout)
	}
	// No proxy of the environment: it could neither reach a loopback address nor should it see the token.
	tr := &http.Transport{DialContext: dialTCP}
	base := server
	if path, isUnix := strings.CutPrefix(server, unixPrefix); isUnix {
		tr.DialContext = dialUnix(path)
		base = "http://localhost"
	} else if !strings.Contains(server, "://") {
		base = "http://" + server
	}
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, usagef("server %q: want http://host:port or unix:/path", server)
	}
	base = strings.TrimRight(base, "/")
	return &client{server: server, base: base, token: token, timeout: l.timeout, http: &http.Client{Transport: tr}}, nil
}

func firstSet(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

func dialTCP(ctx context.Context, network, address string) (net.Conn, error) {
	d := net.Dialer{Timeout: dialTimeMax}
	return d.DialContext(ctx, network, address)
}

func dialUnix(path string) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, _, _ string) (net.Conn, error) {
		d := net.Dialer{Timeout: dialTimeMax}
		return d.DialContext(ctx, "unix", path)
	}
}

// readToken reads a token file, which nobody but its owner and group may read. No path, no token.
func readToken(path string) (string, error) {
	if path == "" {
		return "", nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("read token: %w", err)
	}
	if info.Mode().Perm()&0o007 != 0 {
		return "", fmt.Errorf("read token: %s is open to everybody (mode %04o); run 'chmod 600 %s'", path, info.Mode().Perm(), path)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("read token: %w", err)
	}
	token := strings.TrimSpace(string(data))
	if token == "" {
		return "", fmt.Errorf("read token: %s is empty", path)
	}
	return token, nil
}
