package resp

// Command is the index of a command in the table.
type Command uint16

// Unknown is every command the table does not hold.
const Unknown Command = 0

// The commands that the code of a session must recognise. Their numbers are their places at the head of the table.
const (
	CmdAuth Command = iota + 1
	CmdHello
	CmdSelect
	CmdClientSetname
	CmdClientSetinfo
	CmdClientReply
	CmdClientTracking
	CmdClientCaching
	CmdClientNoEvict
	CmdClientNoTouch
	CmdClientCapa
	CmdClientImportSource
	CmdClientMaintNotifications
	CmdClientId
	CmdClientInfo
	CmdClientGetredir
	CmdClientTrackinginfo
	CmdClientList
	CmdClientKill
	CmdClientUnblock
	CmdMulti
	CmdExec
	CmdDiscard
	CmdWatch
	CmdUnwatch
	CmdReset
	CmdQuit
	CmdSubscribe
	CmdPsubscribe
	CmdSsubscribe
	CmdUnsubscribe
	CmdPunsubscribe
	CmdSunsubscribe
	CmdMonitor
	CmdSync
	CmdPsync
	CmdReplconf
	CmdWait
	CmdWaitaof
	CmdPing
	CmdInfo
	CmdEval
	CmdEvalRo
	CmdEvalsha
	CmdEvalshaRo
	CmdScriptLoad
	CmdScriptFlush
	CmdScan
	CmdHscan
	CmdSscan
	CmdZscan
	CmdReadonly
	CmdReadwrite
	CmdAsking
	CmdScriptDebug
	CmdClient
)

// Commands of modules and of newer servers are told apart by what the server says of them; see Vocabulary. No client can
// name these two, because a name with a blank in it is no command to any server.
const (
	cmdForeignRead Command = iota + cmdHost + 1
	cmdForeignWrite
)

// These two are what a browser says to a Redis port when a hostile page makes it speak HTTP there. They come after the
// named commands of the table.
const (
	cmdPost Command = iota + CmdClient + 1
	cmdHost
)

// Spec is what the table says of one command.
type Spec struct {
	// Name is in lower case; a subcommand is "container|name".
	Name  string
	Class Class
	// Arity counts the command itself; -n means at least n.
	Arity int
	Flags Flags
}

// Spec returns the table's entry. The caller must not change it.
func (c Command) Spec() *Spec {
	if int(c) >= len(table) {
		return &table[Unknown]
	}
	return &table[c]
}

// String is the name of the command.
func (c Command) String() string { return c.Spec().Name }

// Lookup finds a command by its first two arguments in any mixture of cases. A container with a second argument that
// it does not know stays the container itself, whose class is ClassUnknown.
func Lookup(name, sub []byte) Command {
	c := find(Unknown, name)
	if sub != nil && table[c].Flags&container != 0 {
		if s := find(c, sub); s != Unknown {
			return s
		}
	}
	return c
}
