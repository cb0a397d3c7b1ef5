package chaos

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"time"

	"holdfast/bench"
)

// flavour is what a rig is made of. Faults that need the same flavour share rigs.
type flavour struct {
	network bool // one network namespace for each host
	nodes   int
	lossy   bool   // max_loss allows what an asynchronous stream may lose in a second
	disk    string // "" keeps nothing; "rdb", "aof", or "small": an append-only file on a file system of a few MiB
}

// String names the flavour in reports.
func (f flavour) String() string {
	place, disk := "loopback", f.disk
	if f.network {
		place = "namespaces"
	}
	if disk == "" {
		disk = "memory"
	}
	if f.lossy {
		disk += ", max_loss 64 MiB"
	}
	return fmt.Sprintf("%d nodes, %s, %s", f.nodes, place, disk)
}

// serverArgs are the arguments of every node. DEBUG is for DIGEST and SEGFAULT; an append-only file keeps what was written.
func (f flavour) serverArgs() []string {
	args := []string{"--repl-diskless-sync-delay", "5"}
	args = append(args, "--enable-debug-command", "yes", "--protected-mode", "no", "--repl-ping-replica-period", "1",
		"--maxclients", "2000", "--busy-reply-threshold", "300", "--loglevel", "notice", "--crash-log-enabled", "no")
	if f.disk == "aof" || f.disk == "small" {
		args = append(args, "--appendonly", "yes", "--appendfsync", "everysec")
	}
	return args
}

// rig is one pair, or more nodes, behind one Holdfast, with its clients. It lives through many cycles.
type rig struct {
	flavour  flavour
	dir      string
	network  *network
	servers  []*bench.Server
	pair     *bench.Pair
	daemon   *bench.Daemon
	crew     *crew
	crewEnd  context.CancelFunc
	crewDone chan struct{}
	tmpfs    []string
	base     resources // of the proxy, after its first cycles
	measured int       // cycles since it was started
	above    int       // cycles in a row with more memory than the base line
	judged   uint64    // the epoch when the last cycle was judged; 0: none was
}

const (
	// settleMax bounds everything that must come to rest after a fault: convergence within 30 s is one of the invariants.
	settleMax = 30 * time.Second
	// serveMax bounds the wait for service at the start of a rig.
	serveMax = 20 * time.Second
)

// newRig returns when all clients are served by nodes that are in sync.
func newRig(ctx context.Context, f flavour, o Options, seed uint64) (*rig, error) {
	r := &rig{flavour: f}
	if err := r.build(ctx, o, seed); err != nil {
		return nil, errors.Join(fmt.Errorf("build a rig of %s: %w", f, err), r.close())
	}
	return r, nil
}

func (r *rig) build(ctx context.Context, o Options, seed uint64) (err error) {
	if r.dir, err = makeDir(); err != nil {
		return err
	}
	if r.flavour.network {
		hosts := []string{hostProxy, hostClients, hostRig}
		for i := range r.flavour.nodes {
			hosts = append(hosts, nodeName(i))
		}
		if r.network, err = newNetwork(ctx, hosts...); err != nil {
			return err
		}
	}
	if err := r.startServers(ctx); err != nil {
		return err
	}
	if err := r.startDaemon(ctx, o.Binary); err != nil {
		return err
	}
	r.crew = newCrew(seed, o.workloads, r.dialer())
	r.crew.begin("start")
	ctx, r.crewEnd = context.WithCancel(ctx)
	r.crewDone = make(chan struct{})
	go r.runCrew(ctx) // close waits for it
	if err := r.crew.served(ctx, 3, serveMax); err != nil {
		return fmt.Errorf("%w\n%s", err, r.daemon.Tail(20))
	}
	return nil
}

// Names of the hosts of a network beside the nodes.
const (
	hostProxy   = "holdfast"
	hostClients = "clients"
	hostRig     = "rig"
)

func nodeName(i int) string { return fmt.Sprintf("redis%d", i+1) }

// place is where a process lives.
func (r *rig) place(host string) bench.Place {
	if r.network == nil {
		return bench.Place{}
	}
	return r.network.hosts[host].place(r.network.hosts[hostRig])
}

// dialer is how clients reach the proxy.
func (r *rig) dialer() func(context.Context) (net.Conn, error) {
	dial := bench.Dialer(new(net.Dialer).DialContext)
	if r.network != nil {
		dial = r.network.hosts[hostClients].dial
	}
	return func(ctx context.Context) (net.Conn, error) {
		ctx, cancel := context.WithTimeout(ctx, queryMax)
		defer cancel()
		return dial(ctx, "tcp", r.daemon.Address())
	}
}

func (r *rig) startServers(ctx context.Context) error {
	for i := range r.flavour.nodes {
		var master *bench.Server
		if i > 0 {
			master = r.servers[0]
		}
		args := r.flavour.serverArgs()
		if r.flavour.disk == "small" {
			dir, err := r.smallDisk(ctx, nodeName(i))
			if err != nil {
				return err
			}
			args = append(args, "--dir", dir)
		}
		s, err := bench.NewServer(r.dir, bench.ServerOptions{Name: nodeName(i), Place: r.place(nodeName(i)), ReplicaOf: master, Args: args})
		if err != nil {
			return err
		}
		r.servers = append(r.servers, s)
		if err := s.Start(ctx); err != nil {
			return err
		}
		if err := errors.Join(r.addUser(ctx, s), syncAtOnce(ctx, s)); err != nil {
			return err
		}
	}
	r.pair = &bench.Pair{Master: r.servers[0], Replica: r.servers[1], Servers: r.servers}
	return r.pair.WaitReady(ctx, r.servers[0])
}

// syncAtOnce takes the delay of full copies away, which is the default of a server that starts: cycles would wait for it.
func syncAtOnce(ctx context.Context, s *bench.Server) error {
	return await(ctx, settleMax, func(ctx context.Context) error {
		_, err := s.Do(ctx, "CONFIG", "SET", "repl-diskless-sync-delay", "0")
		return err
	})
}

// addUser makes the clients' user on one node; users are not replicated.
func (r *rig) addUser(ctx context.Context, s *bench.Server) error {
	return await(ctx, settleMax, func(ctx context.Context) error {
		_, err := s.Do(ctx, "ACL", "SETUSER", userName, "on", ">"+userPassword, "~*", "&*", "+@all")
		return err
	})
}

func (r *rig) startDaemon(ctx context.Context, binary string) error {
	// min_gap guards against flapping, and nothing but flapping happens here.
	o := bench.DaemonOptions{Binary: binary, Place: r.place(hostProxy), MinGap: time.Millisecond}
	if r.flavour.lossy {
		o.MaxLoss = "64MiB"
	}
	for _, s := range r.servers {
		o.Backends = append(o.Backends, bench.BackendRef{Name: s.Name, Address: s.Address()})
	}
	var err error
	if r.daemon, err = bench.NewDaemon(r.dir, o); err != nil {
		return err
	}
	if err := r.daemon.Start(); err != nil {
		return err
	}
	return r.daemon.WaitServing(ctx)
}

func (r *rig) runCrew(ctx context.Context) {
	defer close(r.crewDone)
	r.crew.run(ctx)
}

// master is the server that the daemon routes to.
func (r *rig) master(ctx context.Context) (*bench.Server, error) {
	status, err := r.daemon.Status(ctx)
	if err != nil {
		return nil, err
	}
	return r.named(status.Master)
}

func (r *rig) named(name string) (*bench.Server, error) {
	i := slices.IndexFunc(r.servers, func(s *bench.Server) bool { return s.Name == name })
	if i < 0 {
		return nil, fmt.Errorf("find server: no node is called %q", name)
	}
	return r.servers[i], nil
}

// others are all nodes but one.
func (r *rig) others(s *bench.Server) []*bench.Server {
	return slices.DeleteFunc(slices.Clone(r.servers), func(o *bench.Server) bool { return o == s })
}

// close ends everything. Clients that are held are freed by the end of the proxy.
func (r *rig) close() error {
	var errs []error
	if r.crewEnd != nil {
		r.crewEnd()
	}
	if r.daemon != nil {
		errs = append(errs, r.daemon.Close())
	}
	for _, s := range r.servers {
		errs = append(errs, s.Close())
	}
	if r.crewDone != nil {
		<-r.crewDone
	}
	errs = append(errs, r.releaseDisks())
	if r.network != nil {
		errs = append(errs, r.network.close())
	}
	if r.dir != "" {
		errs = append(errs, os.RemoveAll(r.dir))
	}
	return errors.Join(errs...)
}
