package resp

// Class says what may be done with a request whose outcome is unknown because its backend was lost.
type Class uint8

const (
	// ClassUnknown is a command the table does not know: it may write and it may create session state.
	ClassUnknown Class = iota
	// Read can be sent again always; the answer may be older than one seen before.
	Read
	// ReadLocal asks the node about itself: it can be sent again, the answer may differ on another node.
	ReadLocal
	// WriteSame leaves the same data and gives the same reply when it runs twice.
	WriteSame
	// WriteState leaves the same data when it runs twice, but the reply may differ.
	WriteState
	// WriteOnce must not run twice.
	WriteOnce
	// Conditional is a table entry only: ClassOf resolves it by the arguments.
	Conditional
	// Script runs code whose effects are not known.
	Script
	// BlockWrite waits for data and takes it: no effect until it answers.
	BlockWrite
	// BlockRead waits for data and leaves it where it is.
	BlockRead
	// Wait asks about the replication of this connection's last write, which means nothing on another connection.
	Wait
	// SessionState changes the connection: it is committed by its reply.
	SessionState
	// Control acts on the node and not on its data.
	Control
	// Opaque ends request and reply framing on this connection, or answers irregularly.
	Opaque
)

var classNames = [...]string{
	"unknown", "read", "read-local", "write-same", "write-state", "write-once", "conditional", "script",
	"block-write", "block-read", "wait", "session", "control", "opaque",
}

// String is the name used in logs, metrics and receipts.
func (c Class) String() string {
	if int(c) >= len(classNames) {
		return "invalid"
	}
	return classNames[c]
}

// Flags are the properties of a command that do not depend on its arguments.
type Flags uint16

const (
	// Slow may run for seconds on a healthy server: silence while it is unanswered is weak evidence.
	Slow Flags = 1 << iota
	// Blocking may wait for other clients, as long as its arguments say.
	Blocking
	// Stateful changes or names session state: its reply must be looked at.
	Stateful
	// Keyed names keys of the keyspace.
	Keyed
	// WriteFlag is the server's own flag write.
	WriteFlag
	// ReadFlag is the server's own flag readonly.
	ReadFlag
	// Scripted commands bring a script or name one: what they say is worth remembering.
	Scripted
	// container is a command whose first argument names the real one.
	container
)
