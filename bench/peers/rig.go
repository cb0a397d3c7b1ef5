package peers

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// spareFiles are the descriptors a process needs besides those of its connections: logs, epoll sets, listeners, pipes.
const spareFiles = 200

// filesPerProxied is what a connection may cost a peer: two sockets, and its share of the pipes HAProxy reserves when it may
// splice, without which it does not start.
const filesPerProxied = 3

// valueSizes are the keys a rig is filled with: every size that some cell asks for.
var valueSizes = []int{smallBytes, 16 << 10, 64 << 10, 1 << 20}

// rig is one Redis server and the contenders in front of it, all fresh. A new one is made for every round, so that the luck
// of one start, such as where its memory came to lie, is averaged and not built into the whole run.
type rig struct {
	dir     string
	backend string
	redis   *child
	targets []*target
}

// startRig starts redis-server and the contenders named that are installed. close must follow unless it failed.
func startRig(ctx context.Context, list []recipe, names []string) (*rig, error) {
	dir, err := os.MkdirTemp("", "holdfast-peers-")
	if err != nil {
		return nil, fmt.Errorf("make directory: %w", err)
	}
	r := &rig{dir: dir}
	if err := os.Chmod(dir, 0o711); err != nil { // other users have their own directories in it
		r.close()
		return nil, fmt.Errorf("open directory for other users: %w", err)
	}
	if err := r.start(ctx, list, names); err != nil {
		r.close()
		return nil, err
	}
	return r, nil
}

func (r *rig) start(ctx context.Context, list []recipe, names []string) error {
	if err := r.startRedis(ctx); err != nil {
		return err
	}
	for i, recipe := range list {
		if !slices.Contains(names, recipe.name) || !installed(recipe) {
			continue
		}
		t, err := r.startTarget(ctx, recipe, i)
		if err != nil && ctx.Err() == nil && slices.Contains(variants, recipe.name) {
			t, err = &target{name: recipe.name, fault: err}, nil // the table without it is still worth having
		}
		if err != nil {
			return err
		}
		r.targets = append(r.targets, t)
	}
	return nil
}

// close ends every process and removes every file of the rig.
func (r *rig) close() {
	for _, t := range r.targets {
		t.end()
	}
	if r.redis != nil {
		r.redis.end()
	}
	_ = os.RemoveAll(r.dir)
}

func (r *rig) startRedis(ctx context.Context) error {
	address, err := freeAddress()
	if err != nil {
		return err
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("split address %s: %w", address, err)
	}
	program, err := programPath("redis-server")
	if err != nil {
		return err
	}
	clients := min(max(filesMax()-spareFiles, 100), 60_000)
	r.redis, err = startChild("redis-server", filepath.Join(r.dir, "redis.log"), nil, program, "--port", port, "--bind", host,
		"--save", "", "--appendonly", "no", "--maxclients", strconv.Itoa(clients), "--tcp-backlog", "4096", "--dir", r.dir)
	if err != nil {
		return err
	}
	r.backend = address
	if err := r.redis.awaitAnswer(ctx, address); err != nil {
		return err
	}
	return r.fill()
}

// fill writes each value and reads it back, so that a server that keeps none of them fails before anything is measured.
func (r *rig) fill() error {
	for _, size := range valueSizes {
		l, err := openLoader(r.backend, 1, set(size), get(size))
		if err != nil {
			return err
		}
		_, err = l.count(2)
		l.close()
		if err != nil {
			return fmt.Errorf("fill redis-server: %w", err)
		}
	}
	return nil
}

// find returns the target with that name, or nil.
func (r *rig) find(name string) *target {
	for _, t := range r.targets {
		if t.name == name {
			return t
		}
	}
	return nil
}

func installed(r recipe) bool {
	if r.program == "" {
		return true
	}
	_, err := programPath(r.program)
	return err == nil
}

// programPath finds a program also where distributions put servers and ordinary users do not look.
func programPath(name string) (string, error) {
	path, err := exec.LookPath(name)
	if err == nil {
		return path, nil
	}
	for _, dir := range []string{"/usr/sbin", "/usr/local/sbin"} {
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("find program %s: %w", name, err)
}

// missing names the programs that are not there, each once.
func missing(list []recipe) []string {
	var names []string
	for _, r := range append(slices.Clone(list), recipe{program: "strace"}) {
		if !installed(r) && !slices.Contains(names, r.program) {
			names = append(names, r.program)
		}
	}
	return names
}

// filesMax is how many descriptors a process here may have; every server raises its own limit to it.
func filesMax() int {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 1024 // what every Linux gives
	}
	return int(min(limit.Max, 1<<20))
}

// versions asks each program what it is.
func versions(ctx context.Context, o Options) map[string]string {
	found := map[string]string{}
	for name, argv := range map[string][]string{
		"haproxy": {"haproxy", "-v"}, "nginx": {"nginx", "-v"}, "redis-server": {"redis-server", "--version"},
		"strace": {"strace", "-V"}, holdfast: {o.Holdfast, "version"},
	} {
		found[name] = firstLine(ctx, argv)
	}
	return found
}

func firstLine(ctx context.Context, argv []string) string {
	program, err := programPath(argv[0])
	if err != nil {
		return err.Error()
	}
	out, err := exec.CommandContext(ctx, program, argv[1:]...).CombinedOutput()
	if err != nil {
		return fmt.Sprintf("ask %s for its version: %v", program, err)
	}
	first, _, _ := strings.Cut(string(out), "\n")
	return first
}
