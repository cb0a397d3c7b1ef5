package health

import "time"

// Observation is something that happened, with the time it was noticed. It is the only way into step.
type Observation struct {
	// At is the monotonic time since the start of the controller.
	At time.Duration
	// Wall is the same moment on the clock of the wall; it is only written into receipts.
	Wall time.Time
	// Exactly one of the following is set.
	Tick     *Tick
	Answer   *Answer
	Failure  *Failure
	Evidence *Evidence
	Result   *Result
	Order    *Order
}

// Tick is the passing of time, with what the data plane said about its load.
type Tick struct{ Load Load }

// Reply says what kind of answer a backend gave. Any of them means that it lives.
type Reply uint8

const (
	// ReplyInfo is an INFO that was read.
	ReplyInfo Reply = iota
	// ReplyAlive is an answer that carries nothing more (PING, a connection that opened).
	ReplyAlive
	// ReplyLoading is -LOADING: the process is up and its data is not.
	ReplyLoading
	// ReplyBusy is -BUSY: a script runs.
	ReplyBusy
	// ReplyDegraded is -MISCONF: writes are refused because the disk is.
	ReplyDegraded
	// ReplyDenied is -NOAUTH, -WRONGPASS or -NOPERM: our own credentials are wrong.
	ReplyDenied
	// ReplyFull is a server with no connection left for us.
	ReplyFull
	// ReplyStale is -MASTERDOWN: a replica that does not serve old data.
	ReplyStale
	// ReplyOther is any other error; it proves life and nothing else.
	ReplyOther
)

// String names the reply as an operator would.
func (r Reply) String() string {
	names := [...]string{"info", "alive", "loading", "busy", "degraded", "denied", "full", "stale", "error"}
	if int(r) < len(names) {
		return names[r]
	}
	return "unknown"
}

// Answer is a reply of a backend to a probe that was sent at Sent.
type Answer struct {
	Node  int
	Sent  time.Duration
	Fresh bool // on a connection opened for this one question
	Reply Reply
	Info  Info
	Text  string // the error text of a reply that is not INFO
}

// FailureKind says how a probe failed.
type FailureKind uint8

const (
	// FailRefused: the dial was refused; the host is up and nothing listens.
	FailRefused FailureKind = iota
	// FailLost: the control connection ended.
	FailLost
	// FailTimeout: connected, or tried to, and got no answer.
	FailTimeout
	// FailDial: the dial failed otherwise (no route, unknown host).
	FailDial
)

// String names the failure in events.
func (k FailureKind) String() string {
	names := [...]string{"refused", "lost", "timeout", "unreachable"}
	if int(k) < len(names) {
		return names[k]
	}
	return "unknown"
}

// Failure is a probe without an answer.
type Failure struct {
	Node  int
	Kind  FailureKind
	Fresh bool
	Text  string
}

// OrderKind is what an operator wants.
type OrderKind uint8

const (
	// OrderSwitchover changes the master with its cooperation.
	OrderSwitchover OrderKind = iota
	// OrderFailover changes it whether it cooperates or not.
	OrderFailover
	// OrderHold shuts the gate until OrderRelease.
	OrderHold
	// OrderRelease opens it again.
	OrderRelease
	// OrderCancel withdraws an order that nobody waits for any more, as far as it has not begun.
	OrderCancel
)

// Order is one operator command; its answer is an EffectReply with the same ID.
type Order struct {
	ID   uint64
	Kind OrderKind
	// To is the wanted backend; -1 lets health choose.
	To int
	// AcceptLoss lets a failover take a node whose lineage or offset cannot be proven.
	AcceptLoss bool
}
