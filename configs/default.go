package configs

import "time"

const (
	// defaultAdminListen is loopback only: the API can promote and hold, so nobody else gets it unasked.
	defaultAdminListen = "127.0.0.1:7070"

	// defaultInterval sees the lag of a replica ten times a second; a death by reset or refusal is known at once and
	// does not wait for it.
	defaultInterval = Duration(100 * time.Millisecond)

	// defaultSilence is longer than the forks and short scripts of a healthy server. Lower finds a frozen master
	// sooner and takes a slow one for dead; higher makes every client wait that much longer.
	defaultSilence = Duration(time.Second)

	// defaultPatience is the silence that is tolerated while a command known to be slow runs.
	defaultPatience = Duration(10 * time.Second)

	// defaultMaxWait outlasts the silence, drain and promotion of a frozen master several times over; beyond it an error
	// serves a client better than more waiting.
	defaultMaxWait = Duration(10 * time.Second)

	// defaultMaxClients is what one primary accepts as Redis ships it (maxclients 10000).
	defaultMaxClients = 10000

	// defaultMaxLoss is the replication backlog that a Redis server keeps by default: a replica further behind could
	// not even have resumed its stream.
	defaultMaxLoss = Size(1 << 20)

	// defaultMinGap stops two sick nodes from passing the mastership to and fro.
	defaultMinGap = Duration(60 * time.Second)

	// defaultHandshakeTimeout is far more than any client needs for a request that it has begun, over any network.
	defaultHandshakeTimeout = Duration(10 * time.Second)

	// defaultRequestTimeout outlasts the retransmissions of a bad network; the time runs only while nothing arrives.
	defaultRequestTimeout = Duration(60 * time.Second)

	// defaultOutputTimeout is the time after which Redis as it ships gives up a subscriber that reads too slowly.
	defaultOutputTimeout = Duration(60 * time.Second)

	// defaultDrainMax is far above what a replica needs to read a full socket buffer, and well inside defaultMaxWait,
	// so that a release still finds its clients waiting.
	defaultDrainMax = Duration(time.Second)
)

// Default is the configuration of an empty file. It has no pools, and so does not pass Validate.
func Default() Config {
	return Config{Admin: Admin{Listen: defaultAdminListen}, Proxy: Proxy{
		Congestion:       CongestionAuto,
		HandshakeTimeout: defaultHandshakeTimeout, RequestTimeout: defaultRequestTimeout, OutputTimeout: defaultOutputTimeout,
	}}
}

// DefaultPool is what a pool of the protocol has before its table is read.
func DefaultPool(protocol Protocol) Pool {
	p := Pool{
		Protocol: protocol,
		Failover: FailoverPromote,
		Deny:     DefaultDeny(),
		Check:    Check{Interval: defaultInterval, Silence: defaultSilence, Patience: defaultPatience},
		Hold:     Hold{MaxWait: defaultMaxWait, MaxClients: defaultMaxClients},
		Policy: Policy{
			InFlight: InFlightRetryReads, UnknownState: UnknownStateMove, ScanCursors: ScanCursorsPass,
			MaxLoss: defaultMaxLoss, MinGap: defaultMinGap, DrainMax: defaultDrainMax,
		},
	}
	if protocol == ProtocolTCP {
		p.Failover, p.Deny = FailoverOrdered, nil
	}
	return p
}

// DefaultDeny are the commands that would change roles, stop or blind a server, or change what is not replicated.
// Clients of a pool have no business with them; whoever needs one connects to the server itself. CLIENT KILL is there as a
// whole: its TYPE form, and its filters in any order, reach the connections of every other client and of Holdfast.
func DefaultDeny() []string {
	return []string{
		"REPLICAOF", "SLAVEOF", "FAILOVER", "SHUTDOWN", "DEBUG", "CLUSTER", "PSYNC", "SYNC", "REPLCONF", "MODULE LOAD",
		"MODULE LOADEX", "MODULE UNLOAD", "CONFIG REWRITE", "CLIENT PAUSE", "CLIENT UNPAUSE", "CLIENT KILL",
		"ACL SETUSER", "ACL DELUSER", "ACL LOAD", "ACL SAVE",
	}
}
