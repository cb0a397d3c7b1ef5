package resp

// CLIENT CACHING counts for one command. If that is answered and not sent again, the choice goes with it: otherwise it would
// count for the next command, and with CACHING NO the client would keep what nobody watches for it.

// Places of a choice that are no entry of the flight.
const (
	choiceNone   = -1
	choiceBefore = -2 // it was answered, and is in the state
)

func (c *Conv) choice() int {
	if c.state != nil && c.state.caching != nil && !c.state.multi {
		return choiceBefore
	}
	return choiceNone
}

// follow looks at entry i, whose fate is decided.
func (k *cutter) follow(i int, e *Entry) {
	switch {
	case k.block && e.cmd != CmdMulti:
	case e.cmd == CmdClientCaching && e.act == ActForward:
		k.choice = i
	case !usesCaching(e.cmd):
	default:
		if e.act != ActForward {
			k.c.forgo(k.choice)
		}
		k.choice = choiceNone
	}
}

// forgo takes a choice back.
func (c *Conv) forgo(choice int) {
	switch choice {
	case choiceNone:
	case choiceBefore:
		c.state.caching = nil
	default:
		e := &c.flight.live()[choice]
		e.act, e.answer = ActLocal, AnswerOK
	}
}
