package resp

import "bytes"

// Limits of what a connection's state may hold for a later move.
const (
	// queueBytesMax and queueCommandsMax bound the copy of an open MULTI block; a larger block cannot be moved and
	// its EXEC is answered with EXECABORT after a move.
	queueBytesMax    = 64 << 10
	queueCommandsMax = 256
)

// replyMode is what CLIENT REPLY chose.
type replyMode uint8

const (
	replyOn replyMode = iota
	replyOff
	replySkip // the next command has no reply
)

// State is what a connection has asked for and the server has confirmed, so that it can be made again on another
// master. Everything in it was committed on a reply, never on a request.
//
// Invariant: special == (the meaning of the next reply depends on more than the head entry).
type State struct {
	user, pass          []byte
	name                []byte
	libName, libVer     []byte
	tracking            []byte // the whole CLIENT TRACKING request that is in force
	queue               []byte // requests of the open block, as sent
	subs                [3]channels
	db                  int32
	queued              int32
	execSubs            int32 // queued (un)subscribe commands: they change the shape of EXEC's reply
	execFrames          int32 // frames they will produce
	proto               uint8
	reply               replyMode
	execAnswer          Answer // what the next EXEC must be told instead of being executed
	authed              bool
	noEvict, noTouch    bool
	multi               bool
	queueLost           bool // the copy of the open block is not complete
	watching, watchLost bool
	special             bool
}

// channels is the ordered set of subscriptions of one kind (channel, pattern, shard).
type channels struct{ names [][]byte }

func (c *channels) find(name []byte) int {
	for i, n := range c.names {
		if bytes.Equal(n, name) {
			return i
		}
	}
	return -1
}

func (c *channels) add(name []byte) {
	if c.find(name) < 0 {
		c.names = append(c.names, bytes.Clone(name))
	}
}

func (c *channels) remove(name []byte) {
	if i := c.find(name); i >= 0 {
		c.names = append(c.names[:i], c.names[i+1:]...)
	}
}

func newState() *State { return &State{proto: 2} }

func (s *State) subscribed() bool {
	return len(s.subs[0].names)+len(s.subs[1].names)+len(s.subs[2].names) > 0
}

func (s *State) settle() {
	s.special = s.multi || s.reply != replyOn || s.execAnswer != AnswerNone || s.watching || s.subscribed()
}

// fresh says that a new connection would be in the same state.
func (s *State) fresh() bool {
	return !s.special && !s.authed && s.db == 0 && s.proto == 2 && s.name == nil && s.libName == nil && s.libVer == nil &&
		s.tracking == nil && !s.noEvict && !s.noTouch
}

// endBlock forgets an open MULTI block and the watched keys: EXEC, DISCARD and RESET end both.
func (s *State) endBlock() {
	s.multi, s.queueLost, s.watching, s.watchLost = false, false, false, false
	s.queue, s.queued, s.execSubs, s.execFrames = s.queue[:0], 0, 0, 0
	s.execAnswer = AnswerNone
}

// enqueue keeps a request that the server answered with QUEUED.
func (s *State) enqueue(cmd Command, req []byte, argc int) {
	if kind := subscriptionKind(cmd); kind >= 0 {
		s.execSubs++
		s.execFrames += int32(max(1, argc-1))
	}
	if len(req) == 0 || len(s.queue)+len(req) > queueBytesMax || s.queued >= queueCommandsMax {
		s.queueLost = true
		return
	}
	s.queue = append(s.queue, req...)
	s.queued++
}

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
