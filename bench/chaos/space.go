package chaos

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"

	"holdfast/bench"
)

// space is a network namespace without a name: it lives as long as somebody holds it open or runs in it. So nothing is left
// of it when this process ends, however it ends, because its children end with it.
type space struct {
	name    string
	address string // on the bridge; "" for the bridge's own space
	file    *os.File
}

// newSpace makes a namespace and leaves the calling thread where it was.
func newSpace(name string) (*space, error) {
	s := &space{name: name}
	err := elsewhere(func() (err error) {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("make network namespace of %s: %w", name, err)
		}
		s.file, err = os.Open(ownSpace)
		return err
	})
	return s, err
}

// ownSpace is the namespace of the calling thread.
const ownSpace = "/proc/thread-self/ns/net"

// elsewhere runs f on a thread that may change its namespace. A thread that cannot be brought back is never used again.
func elsewhere(f func() error) error {
	runtime.LockOSThread()
	home, err := os.Open(ownSpace)
	if err != nil {
		runtime.UnlockOSThread()
		return fmt.Errorf("open own network namespace: %w", err)
	}
	defer home.Close()
	err = f()
	if back := unix.Setns(int(home.Fd()), unix.CLONE_NEWNET); back != nil {
		return errors.Join(err, fmt.Errorf("return to own network namespace: %w", back))
	}
	runtime.UnlockOSThread()
	return err
}

// enter moves the calling thread, which must be one of elsewhere's.
func enter(s *space) error {
	if err := unix.Setns(int(s.file.Fd()), unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("enter network namespace of %s: %w", s.name, err)
	}
	return nil
}

// path names the namespace to other processes while this one lives.
func (s *space) path() string { return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), s.file.Fd()) }

// launch is what a command line begins with to run inside.
func (s *space) launch() []string { return []string{"nsenter", "--net=" + s.path()} }

// dial connects from inside; the socket stays there.
func (s *space) dial(ctx context.Context, network, address string) (c net.Conn, err error) {
	dialErr := elsewhere(func() error {
		if err := enter(s); err != nil {
			return err
		}
		var d net.Dialer
		c, err = d.DialContext(ctx, network, address)
		return err
	})
	if dialErr != nil && c != nil {
		return nil, errors.Join(dialErr, c.Close())
	}
	return c, dialErr
}

// run executes a program inside, with its standard input given.
func (s *space) run(ctx context.Context, input string, argv ...string) (string, error) {
	argv = append(s.launch(), argv...)
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Stdin = strings.NewReader(input)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("run %s in %s: %w: %s", strings.Join(argv[2:], " "), s.name, err, out)
	}
	return string(out), nil
}

// deafTo drops what comes from the addresses; none at all hears everybody again. One rule set replaces the other at once.
func (s *space) deafTo(ctx context.Context, addresses ...string) error {
	rules := "table ip chaos\ndelete table ip chaos\n"
	if len(addresses) > 0 {
		rules += "table ip chaos {\nchain in {\ntype filter hook input priority 0\n"
		rules += "ip saddr { " + strings.Join(addresses, ", ") + " } drop\n}\n}\n"
	}
	_, err := s.run(ctx, rules, "nft", "-f", "-")
	return err
}

// place is where processes of this space live; from is the space whose dials reach them.
func (s *space) place(from *space) bench.Place {
	return bench.Place{Host: s.address, Launch: s.launch(), Dial: from.dial}
}

// network is a bridge with one space for each host.
type network struct {
	bridge *space
	hosts  map[string]*space
}

// newNetwork connects hosts by a bridge; the n-th gets the address 10.77.0.(10+n). Namespaces make it private, so every run
// may use the same addresses.
func newNetwork(ctx context.Context, hosts ...string) (*network, error) {
	bridge, err := newSpace("bridge")
	if err != nil {
		return nil, err
	}
	n := &network{bridge: bridge, hosts: make(map[string]*space)}
	var batch strings.Builder
	batch.WriteString("link add br0 type bridge\nlink set br0 up\n")
	for i, name := range hosts {
		s, err := newSpace(name)
		if err != nil {
			return nil, errors.Join(err, n.close())
		}
		n.hosts[name], s.address = s, fmt.Sprintf("10.77.0.%d", 10+i)
		fmt.Fprintf(&batch, "link add v%d type veth peer name eth0 netns %s\nlink set v%d master br0\nlink set v%d up\n", i, s.path(), i, i)
	}
	if _, err := bridge.run(ctx, batch.String(), "ip", "-batch", "-"); err != nil {
		return nil, errors.Join(err, n.close())
	}
	for _, name := range hosts {
		s := n.hosts[name]
		setup := fmt.Sprintf("link set lo up\naddr add %s/24 dev eth0\nlink set eth0 up\n", s.address)
		if _, err := s.run(ctx, setup, "ip", "-batch", "-"); err != nil {
			return nil, errors.Join(err, n.close())
		}
	}
	return n, nil
}

// heal lets everybody hear everybody.
func (n *network) heal(ctx context.Context) error {
	var errs []error
	for _, s := range n.hosts {
		errs = append(errs, s.deafTo(ctx))
	}
	return errors.Join(errs...)
}

// close lets the namespaces go; those in which a process still runs live until it ends.
func (n *network) close() error {
	errs := []error{n.bridge.file.Close()}
	for _, s := range n.hosts {
		errs = append(errs, s.file.Close())
	}
	return errors.Join(errs...)
}
