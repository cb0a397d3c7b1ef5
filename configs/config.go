package configs

// Config is one configuration file, with the defaults filled in.
type Config struct {
	StateDir   string // epochs, registrations and journals live here; "" keeps them in memory only
	Admin      Admin
	Proxy      Proxy
	Pools      []Pool
	Supervisor Supervisor

	path  string   // file it was read from, the first word of every fault; "" when built by hand
	lines lineBook // where each key was written
}

// Admin is where the admin HTTP API listens and who may use it.
type Admin struct {
	Listen    string // host:port or unix:/path
	TokenFile string // bearer token; required unless Listen is loopback or a unix socket
}

// Proxy is what all pools share in the data plane.
type Proxy struct {
	Loops      int    // event loops; 0: half as many as CPUs, at least one
	ClientsMax int    // client connections of the process; 0: as many as the file descriptor limit carries
	Congestion string // TCP congestion control of both sides; "": whatever the system uses; see CongestionAuto

	ClientsPerAddress int // client connections of one IP address; 0: no limit

	// How long a client may keep Holdfast waiting; 0: for ever.
	HandshakeTimeout Duration // from a new client's first byte to the end of its first request
	RequestTimeout   Duration // an unfinished request stands still
	IdleTimeout      Duration // a client says nothing
	OutputTimeout    Duration // a client takes nothing of what waits for it
}

// Pool is one service: its listeners, its backends, one master at a time.
type Pool struct {
	Name     string
	Listen   []string // host:port or unix:/path
	Protocol Protocol
	Failover Failover
	Deny     []string // commands refused to clients, upper case, "CLIENT PAUSE" names a subcommand; empty: none
	Backends []Backend
	Check    Check
	Hold     Hold
	Policy   Policy
}

// Backend is a server the pool may send its clients to.
type Backend struct {
	Name    string // unique in its pool; the address when the file gives none
	Address string // host:port or unix:/path
	Machine string // the host that runs it, for the supervisor; may be ""
}

// Check is how the health of each backend is watched.
type Check struct {
	Interval     Duration // between two probes of one backend
	Silence      Duration // no answer for this long: a suspect has failed; 2 * Interval <= Silence
	Patience     Duration // as Silence, while a command known to be slow is unanswered; Silence <= Patience
	Username     string   // ACL user of the control connections; "" means the default user
	PasswordFile string   // see Pool.Password
}

// Hold bounds what clients are made to wait for.
type Hold struct {
	MaxWait    Duration // longer than this, held requests are answered with an error; the connections stay open
	MaxClients int      // clients held at once; those beyond it get the error at once
}

// Policy is what the pool may do by itself, and what it may lose.
type Policy struct {
	InFlight     InFlight
	UnknownState UnknownState
	ScanCursors  ScanCursors
	MaxLoss      Size     // a replica further behind the lost master than this is not promoted by itself
	MinGap       Duration // between two automatic failovers, unless the second one is beyond doubt
	DrainMax     Duration // how long a promotion waits for the replica to read what the dead master had sent
}

// Supervisor is how lost machines are repaired.
type Supervisor struct {
	Provider string // "local", the absolute path of an executable, or "" for no supervisor
	Ladder   []Step // tried in this order
}
