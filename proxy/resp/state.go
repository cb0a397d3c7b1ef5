package resp

import (
	"maps"
	"strings"
)

// Limits of what a connection's state may hold for a later move.
const (
	// queueBytesMax and queueCommandsMax bound the copy of an open MULTI block; a larger block cannot be moved and
	// its EXEC is answered with EXECABORT after a move.
	queueBytesMax    = 64 << 10
	queueCommandsMax = 256
	// trackingBytesMax bounds the CLIENT TRACKING requests that add up (BCAST with ever more prefixes); beyond it the
	// connection cannot be moved.
	trackingBytesMax = 64 << 10
)

// State is what a connection has asked for and the server has confirmed, so that it can be made again on another
// master. Everything in it was committed on a reply, never on a request.
//
// Invariant: special == (the meaning of the next reply depends on more than the head entry).
type State struct {
	user, pass      []byte
	name            []byte
	libName, libVer []byte
	tracking        []byte // the CLIENT TRACKING requests that are in force
	caching         []byte // a CLIENT CACHING request that counts for the next command
	redirect        uint64 // the id of ours that invalidations are sent to
	odd             []byte // name of the first command that may have changed the connection in a way nobody knows
	switches        [switchCount][]byte
	subs            [3]channels
	block           block
	db              int32
	proto           uint8
	authed          bool
	named           bool // the client has seen its id
	oddNews         bool // odd was not told yet
	multi           bool
	watching        bool
	bound           bool // tracking names another connection of this server, or is too long to be kept
	special         bool
}

// Places of State.switches: commands that are simply repeated if they were last switched on.
const (
	switchNoEvict = iota
	switchNoTouch
	switchImportSource
	switchMaintNotifications
	switchCount
)

// block is an open MULTI block as the server has it.
//
// Invariant: lost, or queue holds all of its commands, which are queued many.
type block struct {
	queue  []byte // requests, as sent
	queued int32
	size   int32    // commands in the block, also those that queue does not hold
	staged []staged // those that change the connection when EXEC succeeds
	subs   *[3]channels
	extra  int32 // by how many elements EXEC's reply differs from its header
	proto  uint8 // in force at the end of the block
	lost   bool  // the copy is not complete, or the server will refuse EXEC
}

// staged is a queued command that changes the connection.
type staged struct {
	at     int32 // its place in the block
	frames int32 // frames it has in EXEC's reply
	cmd    Command
	req    []byte
}

// channels is the set of subscriptions of one kind (channel, pattern, shard).
type channels map[string]struct{}

func (c *channels) add(name []byte) {
	if *c == nil {
		*c = make(channels)
	}
	(*c)[string(name)] = struct{}{}
}

func (c channels) remove(name []byte) { delete(c, string(name)) }

func newState() *State { return &State{proto: 2} }

func (s *State) subscribed() bool { return len(s.subs[0])+len(s.subs[1])+len(s.subs[2]) > 0 }

func (s *State) settle() { s.special = s.multi || s.caching != nil || s.subscribed() }

// fresh says that a new connection would be in the same state.
func (s *State) fresh() bool {
	for _, req := range s.switches {
		if req != nil {
			return false
		}
	}
	return !s.special && !s.authed && !s.watching && s.db == 0 && s.proto == 2 && s.name == nil && s.libName == nil &&
		s.libVer == nil && s.tracking == nil && s.odd == nil && !s.named
}

// endBlock forgets an open MULTI block and the watched keys: EXEC, DISCARD and RESET end both.
func (s *State) endBlock() {
	s.multi, s.watching, s.caching = false, false, nil
	clear(s.block.queue) // it may hold a password
	s.block = block{queue: s.block.queue[:0]}
}

// enqueue keeps a request that the server answered with QUEUED.
func (s *State) enqueue(cmd Command, req []byte, args [][]byte) {
	b := &s.block
	if cmd.Spec().Flags&Stateful != 0 {
		s.stage(cmd, req, args)
	}
	b.size++
	if len(req) == 0 || len(b.queue)+len(req) > queueBytesMax || b.queued >= queueCommandsMax {
		b.lost = true
		return
	}
	b.queue = append(b.queue, req...)
	b.queued++
}

// stage keeps a queued command that changes the connection. Its memory is the client's own: so many commands of this
// kind in one block are as good as none.
func (s *State) stage(cmd Command, req []byte, args [][]byte) {
	b := &s.block
	if len(b.staged) >= queueCommandsMax {
		b.lost = true
		return
	}
	frames := int32(1)
	if kind := subscriptionKind(cmd); kind >= 0 {
		frames = s.stageSubscription(cmd, kind, args)
		if b.proto == 3 {
			b.extra-- // its pushes are no elements
		} else {
			b.extra += frames - 1
		}
	}
	if cmd == CmdHello && len(args) > 1 {
		b.proto = protoOf(args[1])
	}
	b.staged = append(b.staged, staged{at: b.size, frames: frames, cmd: cmd, req: append([]byte(nil), req...)})
}

// stageSubscription returns how many confirmations a queued (un)subscribe command will have.
func (s *State) stageSubscription(cmd Command, kind int, args [][]byte) int32 {
	b := &s.block
	if b.subs == nil {
		b.subs = &[3]channels{maps.Clone(s.subs[0]), maps.Clone(s.subs[1]), maps.Clone(s.subs[2])}
	}
	set := &b.subs[kind]
	if len(args) < 2 {
		n := max(1, len(*set))
		*set = nil
		return int32(n)
	}
	for _, name := range args[1:] {
		if subscribes(cmd) {
			set.add(name)
		} else {
			set.remove(name)
		}
	}
	return int32(len(args) - 1)
}

// usesCaching says that CLIENT CACHING before the command counts for it. The subcommands of CLIENT let it stand for the next.
func usesCaching(cmd Command) bool { return !strings.HasPrefix(cmd.Spec().Name, "client") }

// wipe overwrites the password before the memory is given back.
func (s *State) wipe() {
	clear(s.pass)
	s.pass = nil
}

// subscriptionKind is the index into State.subs of a (un)subscribe command, -1 for any other.
func subscriptionKind(cmd Command) int {
	switch cmd {
	case CmdSubscribe, CmdUnsubscribe:
		return 0
	case CmdPsubscribe, CmdPunsubscribe:
		return 1
	case CmdSsubscribe, CmdSunsubscribe:
		return 2
	}
	return -1
}

func subscribes(cmd Command) bool {
	return cmd == CmdSubscribe || cmd == CmdPsubscribe || cmd == CmdSsubscribe
}

func protoOf(arg []byte) uint8 {
	if string(arg) == "3" {
		return 3
	}
	return 2
}
