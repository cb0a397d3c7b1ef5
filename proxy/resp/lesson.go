package resp

// lesson is a request by which a server was taught a script, or shown to know one. Its bytes are those of a flight that
// may be used again: it is to be taken before the next request is recorded.
type lesson struct {
	cmd Command
	req []byte
}

// Lesson returns what the reply that Frame saw last proves about scripts: the server knows the script with this body (EVAL,
// SCRIPT LOAD) or this SHA1 (EVALSHA), or knows none any more (SCRIPT FLUSH, without arg). What is in arg is valid until
// the next request is recorded. ok is false when it proves nothing.
func (p *Flights) Lesson() (cmd Command, arg []byte, ok bool) {
	l := p.lesson
	if l.cmd == Unknown {
		return 0, nil, false
	}
	p.lesson = lesson{}
	if l.cmd == CmdScriptFlush {
		return l.cmd, nil, true
	}
	var array [16][]byte
	args, whole := Args(l.req, array[:0])
	i := 1
	if l.cmd == CmdScriptLoad {
		i = 2
	}
	if !whole || len(args) <= i {
		return 0, nil, false // too large to have been kept
	}
	return l.cmd, args[i], true
}
