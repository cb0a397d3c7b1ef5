package resp

import (
	"slices"
	"strings"
)

// nameMax is the length of the longest name of a command or subcommand, in bytes. Longer ones are not looked up.
const nameMax = 24

// slots is the size of the index: a power of two, more than twice the number of commands, so that a search mostly
// ends at its first slot.
const slots = 1024

// named are the commands that have a constant; the constant is the place. The rest of the table follows them.
var named = [...]Spec{
	Unknown: {"unknown", ClassUnknown, 0, Stateful},

	CmdAuth:                     {"auth", SessionState, -2, Stateful},
	CmdHello:                    {"hello", SessionState, -1, Stateful},
	CmdSelect:                   {"select", SessionState, 2, Stateful},
	CmdClientSetname:            {"client|setname", SessionState, 3, Stateful},
	CmdClientSetinfo:            {"client|setinfo", SessionState, 4, Stateful},
	CmdClientReply:              {"client|reply", SessionState, 3, Stateful},
	CmdClientTracking:           {"client|tracking", SessionState, -3, Stateful},
	CmdClientCaching:            {"client|caching", SessionState, 3, Stateful},
	CmdClientNoEvict:            {"client|no-evict", SessionState, 3, Stateful},
	CmdClientNoTouch:            {"client|no-touch", SessionState, 3, Stateful},
	CmdClientCapa:               {"client|capa", SessionState, -3, Stateful},
	CmdClientImportSource:       {"client|import-source", SessionState, 3, Stateful},
	CmdClientMaintNotifications: {"client|maint_notifications", SessionState, -3, Stateful},
	CmdClientId:                 {"client|id", ReadLocal, 2, Stateful},
	CmdClientInfo:               {"client|info", ReadLocal, 2, Stateful},
	CmdClientGetredir:           {"client|getredir", ReadLocal, 2, Stateful},
	CmdClientTrackinginfo:       {"client|trackinginfo", ReadLocal, 2, Stateful},
	CmdClientList:               {"client|list", ReadLocal, -2, Stateful},
	CmdClientKill:               {"client|kill", Control, -3, Stateful},
	CmdClientUnblock:            {"client|unblock", Control, -3, Stateful},
	CmdMulti:                    {"multi", SessionState, 1, Stateful},
	CmdExec:                     {"exec", SessionState, 1, Stateful},
	CmdDiscard:                  {"discard", SessionState, 1, Stateful},
	CmdWatch:                    {"watch", SessionState, -2, Stateful | Keyed},
	CmdUnwatch:                  {"unwatch", SessionState, 1, Stateful},
	CmdReset:                    {"reset", SessionState, 1, Stateful},
	CmdQuit:                     {"quit", SessionState, -1, Stateful},
	CmdSubscribe:                {"subscribe", SessionState, -2, Stateful},
	CmdPsubscribe:               {"psubscribe", SessionState, -2, Stateful},
	CmdSsubscribe:               {"ssubscribe", SessionState, -2, Stateful | Keyed},
	CmdUnsubscribe:              {"unsubscribe", SessionState, -1, Stateful},
	CmdPunsubscribe:             {"punsubscribe", SessionState, -1, Stateful},
	CmdSunsubscribe:             {"sunsubscribe", SessionState, -1, Stateful | Keyed},
	CmdMonitor:                  {"monitor", SessionState, 1, Stateful},
	CmdSync:                     {"sync", Opaque, 1, Stateful},
	CmdPsync:                    {"psync", Opaque, -3, Stateful},
	CmdReplconf:                 {"replconf", Opaque, -1, Stateful},
	CmdWait:                     {"wait", Wait, 3, Blocking},
	CmdWaitaof:                  {"waitaof", Wait, 4, Blocking},
	CmdPing:                     {"ping", ReadLocal, -1, 0},
	CmdInfo:                     {"info", ReadLocal, -1, 0},
	CmdEval:                     {"eval", Script, -3, Slow | Keyed | Scripted},
	CmdEvalRo:                   {"eval_ro", Read, -3, Slow | Keyed | ReadFlag | Scripted},
	CmdEvalsha:                  {"evalsha", Script, -3, Slow | Keyed | Scripted},
	CmdEvalshaRo:                {"evalsha_ro", Read, -3, Slow | Keyed | ReadFlag | Scripted},
	CmdScriptLoad:               {"script|load", WriteSame, 3, Scripted},
	CmdScriptFlush:              {"script|flush", Control, -2, Slow | Scripted},
	CmdScan:                     {"scan", Read, -2, ReadFlag},
	CmdHscan:                    {"hscan", Read, -3, Keyed | ReadFlag},
	CmdSscan:                    {"sscan", Read, -3, Keyed | ReadFlag},
	CmdZscan:                    {"zscan", Read, -3, Keyed | ReadFlag},
	CmdReadonly:                 {"readonly", SessionState, 1, Stateful},
	CmdReadwrite:                {"readwrite", SessionState, 1, Stateful},
	CmdAsking:                   {"asking", SessionState, 1, Stateful},
	CmdScriptDebug:              {"script|debug", SessionState, 3, Stateful},
	CmdClient:                   {"client", ClassUnknown, -2, container | Stateful},

	cmdPost: {"post", ClassUnknown, 0, 0},
	cmdHost: {"host:", ClassUnknown, 0, 0},

	cmdForeignRead:  {"a foreign read", Read, 0, ReadFlag},
	cmdForeignWrite: {"a foreign write", WriteOnce, 0, WriteFlag},
}

// table holds every command of a 7.0 server and the session commands of newer ones. It is never written.
var table = slices.Concat(named[:], readCommands[:], writeCommands[:], serverCommands[:])

// commandCount is the size of table: every Command below it has an entry.
const commandCount = len(named) + len(readCommands) + len(writeCommands) + len(serverCommands)

// index is an open-addressing hash table of places in table. It is never written after it was built.
var index = buildIndex()

// hash folds the case by one bit: letters become lower case, and the few other characters that fold together are told
// apart by the comparison in find.
func hash(container Command, name []byte) uint32 {
	h := uint32(container) * 0x9e3779b1
	for _, c := range name {
		h = (h ^ uint32(c|0x20)) * 0x01000193
	}
	return h ^ h>>15
}

// find looks a name up among the subcommands of a container, or among the commands themselves if there is none.
func find(in Command, name []byte) Command {
	if len(name) > nameMax {
		return Unknown
	}
	for i := hash(in, name); ; i++ {
		e := &index[i%slots]
		if e.command == Unknown || e.in == in && equalFold(table[e.command].Name[e.skip:], name) {
			return e.command
		}
	}
}

// equalFold compares with a lower-case name.
func equalFold(lower string, name []byte) bool {
	if len(lower) != len(name) {
		return false
	}
	for i, c := range name {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

// slot is one entry of the index: the command, its container, and how many bytes of its name the container takes.
type slot struct {
	command, in Command
	skip        uint8
}

func buildIndex() *[slots]slot {
	ix := new([slots]slot)
	containers := make(map[string]Command)
	for c, s := range table {
		if s.Flags&container != 0 {
			containers[s.Name] = Command(c)
		}
	}
	for c, s := range table[1:] {
		e := slot{command: Command(c + 1)}
		name := s.Name
		if head, sub, ok := strings.Cut(s.Name, "|"); ok {
			e.in, e.skip, name = containers[head], uint8(len(head)+1), sub
		}
		i := hash(e.in, []byte(name))
		for ; ix[i%slots].command != Unknown; i++ {
		}
		ix[i%slots] = e
	}
	return ix
}
