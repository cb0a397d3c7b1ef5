package configs

// CongestionAuto is the default of Proxy.Congestion: on loopback one that does not pace, elsewhere whatever the system uses.
const CongestionAuto = "auto"

// Protocol is what a pool understands of its bytes.
type Protocol string

const (
	ProtocolRedis Protocol = "redis" // requests and replies are framed, sessions move between backends
	ProtocolTCP   Protocol = "tcp"   // bytes are opaque
)

// Failover is what a pool does when its backend is lost.
type Failover string

const (
	FailoverPromote Failover = "promote" // promote a replica
	FailoverFollow  Failover = "follow"  // wait for somebody else's promotion and route to the successor
	FailoverOrdered Failover = "ordered" // take the first healthy backend of the list
	FailoverOff     Failover = "off"     // hold the clients and wait for the same backend
)

// InFlight is what becomes of a request that was sent and not answered when its backend was lost.
type InFlight string

const (
	InFlightFail            InFlight = "fail"             // every one is answered with an error
	InFlightRetryReads      InFlight = "retry-reads"      // reads are sent again, writes get the error
	InFlightRetryIdempotent InFlight = "retry-idempotent" // also writes whose repetition changes nothing
	InFlightRetryAll        InFlight = "retry-all"        // everything is sent again: a write may run twice
)

// UnknownState is what becomes of a connection on which a command was executed that nobody knows, when its backend is lost.
type UnknownState string

const (
	UnknownStateMove  UnknownState = "move"  // it is moved with all of its state that is known
	UnknownStateClose UnknownState = "close" // it is closed, and its client makes its state again by itself
)

// ScanCursors is what becomes of a cursor that an earlier master has given out.
type ScanCursors string

const (
	ScanCursorsPass   ScanCursors = "pass"   // it is passed on, and the scan may miss keys
	ScanCursorsRefuse ScanCursors = "refuse" // it is answered with an error, and the scan begins again
)

// Step is one rung of the supervisor's ladder.
type Step string

const (
	StepRestartService Step = "restart-service"
	StepReplaceMachine Step = "replace-machine"
)

func protocols() []Protocol { return []Protocol{ProtocolRedis, ProtocolTCP} }

func failovers() []Failover {
	return []Failover{FailoverPromote, FailoverFollow, FailoverOrdered, FailoverOff}
}

func inFlights() []InFlight {
	return []InFlight{InFlightFail, InFlightRetryReads, InFlightRetryIdempotent, InFlightRetryAll}
}

func unknownStates() []UnknownState { return []UnknownState{UnknownStateMove, UnknownStateClose} }

func scanCursors() []ScanCursors { return []ScanCursors{ScanCursorsPass, ScanCursorsRefuse} }

func steps() []Step { return []Step{StepRestartService, StepReplaceMachine} }
