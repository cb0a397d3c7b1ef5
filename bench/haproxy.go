package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// HAProxy is what people put in front of a pair today: it checks who says that he is the master, and routes there.
type HAProxy struct {
	listen string
	file   string
	log    string
	config string
	proc   *process
}

// NewHAProxy writes a configuration below dir. tuned makes it as quick as it can be made without false alarms on a busy
// machine; otherwise every time is HAProxy's own default.
func NewHAProxy(dir string, backends []BackendRef, tuned bool) (*HAProxy, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	h := &HAProxy{listen: loopback(port), file: filepath.Join(dir, "haproxy.cfg"), log: filepath.Join(dir, "haproxy.log")}
	h.config = haproxyConfig(h.listen, backends, tuned)
	if err := os.WriteFile(h.file, []byte(h.config), 0o600); err != nil {
		return nil, fmt.Errorf("write configuration of haproxy: %w", err)
	}
	return h, nil
}

// haproxyConfig is the recipe of HAProxy's own pages for a Redis master.
func haproxyConfig(listen string, backends []BackendRef, tuned bool) string {
	var b strings.Builder
	b.WriteString("global\n    maxconn 4000\ndefaults\n    mode tcp\n    timeout connect 5s\n    timeout client 1h\n    timeout server 1h\n")
	if tuned {
		b.WriteString("    timeout check 500ms\n    option redispatch\n")
	}
	fmt.Fprintf(&b, "listen redis\n    bind %s\n    option tcp-check\n", listen)
	for _, step := range [][2]string{{"PING", "+PONG"}, {`info\ replication`, "role:master"}, {"QUIT", "+OK"}} {
		fmt.Fprintf(&b, "    tcp-check send %s\\r\\n\n    tcp-check expect string %s\n", step[0], step[1])
	}
	if tuned {
		b.WriteString("    default-server inter 200ms fastinter 100ms downinter 100ms fall 2 rise 1 on-marked-down shutdown-sessions\n")
	}
	for _, ref := range backends {
		fmt.Fprintf(&b, "    server %s %s check\n", ref.Name, ref.Address)
	}
	return b.String()
}

// Address is where clients connect.
func (h *HAProxy) Address() string { return h.listen }

// Config is the file it was started with.
func (h *HAProxy) Config() string { return h.config }

// inARow is how many connections must find the master before HAProxy has settled. It takes every server for healthy at first
// and gives connections to them in turn, so two in a row prove little.
const inARow = 6

// haproxyReadyMax is how long that may take: by default three checks with 2 s between them have to fail, on a machine that may be busy.
const haproxyReadyMax = 30 * time.Second

// Start starts the process and returns when it has told the master from the replicas.
func (h *HAProxy) Start(ctx context.Context) error {
	program, err := serverProgram("haproxy")
	if err != nil {
		return err
	}
	if h.proc, err = startProcess("haproxy", h.log, program, "-db", "-f", h.file); err != nil {
		return err
	}
	err = await(ctx, haproxyReadyMax, pollEvery, func(ctx context.Context) error {
		for range inARow {
			rep, err := ask(ctx, h.listen, "INFO", "replication")
			if err == nil && !strings.Contains(rep.text, "role:master") {
				err = errors.New("it sends clients to a replica")
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("start haproxy: %w\n%s", err, h.proc.tail(10))
	}
	return nil
}

// Close ends the process.
func (h *HAProxy) Close() error {
	if h.proc == nil {
		return nil
	}
	return h.proc.kill()
}

// serverProgram finds a program also where distributions put servers and ordinary users do not look.
func serverProgram(name string) (string, error) {
	path, err := exec.LookPath(name)
	for _, dir := range []string{"/usr/sbin", "/usr/local/sbin"} {
		if err == nil {
			return path, nil
		}
		var again error
		path, again = exec.LookPath(filepath.Join(dir, name))
		if again == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("find program %s: %w", name, err)
}
