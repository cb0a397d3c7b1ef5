package resp

// requestAt is where a request stands.
//
//	start -> args -> body -> tail -> args ... -> done
//	  |        |
//	  |        +-> size -> body          (Stream only: a header that arrives in pieces)
//	  +-> line -> done                   (inline)
//	any -> bad                           (final)
type requestAt uint8

const (
	// requestStart stands at a boundary: nothing of the request has been looked at, or only a part of its first header.
	requestStart requestAt = iota
	// requestLine is inside an inline request.
	requestLine
	// requestArgs stands before the header of an argument.
	requestArgs
	// requestSize is inside the header of an argument.
	requestSize
	// requestBody is inside an argument of which body bytes are missing.
	requestBody
	// requestTail is in the line end behind an argument.
	requestTail
	// requestDone has ended: the next Scan starts afresh.
	requestDone
	// requestBad is a protocol error: there is no boundary any more.
	requestBad
)

// Request is the progress through one request of a client. The zero value stands at a boundary.
//
// Invariant: in Scan, pos <= len(p) and every byte before pos has been judged; 0 <= left <= argc <= argcMax.
type Request struct {
	size header
	// body counts the bytes of the present argument that are still to come, in Stream; its whole length, in Scan.
	body int64
	// pos is where Scan goes on, in bytes from the start of the request.
	pos int32
	// left counts the arguments that have not ended, the present one included.
	left int32
	argc int32
	// key and keyEnd are where the first argument behind the name begins and ends; a whole request has at most WholeMax bytes.
	key, keyEnd uint16
	command     Command
	at          requestAt
	fault       fault
	// odd is the byte that fault complains about.
	odd    byte
	inline bool
	// cr is set between the two bytes of a line end.
	cr bool
	// guest: the sender has not given the password that the server asks for.
	guest bool
}

// Scan looks at a request from its first byte on; p holds all its bytes so far, and perhaps more. It goes on where the
// last call with the same request stopped. Whole and Blank end at n, and the next call starts a new request. While the
// verdict is More, len(p) < WholeMax.
func (r *Request) Scan(p []byte) (n int, v Verdict) {
	switch r.at {
	case requestDone:
		*r = Request{}
	case requestBad:
		return 0, Bad
	case requestArgs, requestBody:
		return r.scanArgs(p)
	case requestLine:
		return r.scanLine(p)
	}
	if len(p) == 0 {
		return 0, More
	}
	if p[0] != '*' {
		return r.beginLine(p)
	}
	argc, k := number(p[1:])
	switch {
	case k == 0:
		return 0, More
	case k < 0 || argc > argcMax:
		return r.fail(faultArgc)
	case r.guest && argc > guestArgcMax:
		return r.fail(faultGuestArgc)
	case argc <= 0:
		r.at = requestDone
		return 1 + k, Blank
	}
	r.argc, r.left, r.pos, r.at = int32(argc), int32(argc), int32(1+k), requestArgs
	return r.scanArgs(p)
}

// scanArgs reads arguments as long as p holds them.
func (r *Request) scanArgs(p []byte) (int, Verdict) {
	pos, left := int(r.pos), int(r.left)
	for left > 0 {
		if r.at == requestArgs {
			if pos == len(p) {
				break
			}
			if p[pos] != '$' {
				return r.failAt(p[pos])
			}
			size, k := number(p[pos+1:])
			if k == 0 {
				break
			}
			if k < 0 || uint64(size) > bulkMax {
				return r.fail(faultBulk)
			}
			if r.guest && size > guestBulkMax {
				return r.fail(faultGuestBulk)
			}
			r.body = size
			r.at = requestBody
			pos += 1 + k
			if r.overflows(pos, left) {
				r.left = int32(left)
				return pos, Big
			}
		}
		end := pos + int(r.body)
		if end+2 > len(p) {
			break
		}
		if p[end] != '\r' || p[end+1] != '\n' {
			return r.fail(faultTail)
		}
		if i := int(r.argc) - left; i < 2 {
			r.key, r.keyEnd = uint16(pos), uint16(end)
			if !r.name(i, p[pos:end]) {
				return r.fail(faultSilent)
			}
		}
		pos = end + 2
		left--
		r.at = requestArgs
	}
	r.pos, r.left = int32(pos), int32(left)
	if left == 0 {
		r.at = requestDone
		return pos, Whole
	}
	if len(p) >= WholeMax {
		return pos, Big
	}
	return 0, More
}

// overflows judges, once the header before pos has been read, whether the request is going to be larger than WholeMax.
// The first two arguments are waited for if they can be had, because they tell the command.
func (r *Request) overflows(pos, left int) bool {
	end := pos + int(r.body) + 2
	if int(r.argc)-left >= 2 {
		end += (left - 1) * argMin
	}
	return end > WholeMax
}

// name looks at argument i, the first or the second; it is false for what only a browser says.
func (r *Request) name(i int, arg []byte) bool {
	if i == 0 {
		r.command = find(Unknown, arg)
		return r.command != cmdPost && r.command != cmdHost
	}
	if table[r.command].Flags&container != 0 {
		r.key = 0 // it belongs to the name
		if c := find(r.command, arg); c != Unknown {
			r.command = c
		}
	}
	return true
}

// Stream goes on after Big: p is just what comes next, in pieces of any size. It returns Whole when the request ended
// at n. Otherwise it took all of p, and the skip bytes that follow are content, and its line end, that need not be looked
// at; the caller may move them past us, and says so with Skipped.
func (r *Request) Stream(p []byte) (n int, skip int64, v Verdict) {
	for n < len(p) && r.at != requestDone {
		switch r.at {
		case requestBody:
			k := min(r.body, int64(len(p)-n))
			n += int(k)
			r.Skipped(k)
		case requestTail:
			v = r.tail(p[n])
			n++
		case requestArgs:
			if p[n] != '$' {
				_, v = r.failAt(p[n])
				break
			}
			n++
			r.at, r.size = requestSize, header{}
			if size, k := number(p[n:]); k > 0 {
				n += k
				v = r.open(size)
			}
		case requestSize:
			done, ok := r.size.step(p[n])
			n++
			if !ok {
				_, v = r.fail(faultBulk)
			} else if done {
				v = r.open(r.size.num)
			}
		default:
			_, v = r.fail(faultOrder)
		}
		if v == Bad {
			return n, 0, Bad
		}
	}
	switch r.at {
	case requestDone:
		return n, 0, Whole
	case requestBody:
		return n, r.body + lineEnd, More
	}
	return n, 0, More
}

// open begins an argument of the given size.
func (r *Request) open(size int64) Verdict {
	if size < 0 || size > bulkMax {
		_, v := r.fail(faultBulk)
		return v
	}
	if r.guest && size > guestBulkMax {
		_, v := r.fail(faultGuestBulk)
		return v
	}
	r.body, r.at = size, requestBody
	r.Skipped(0)
	return More
}

// tail takes one byte of the line end behind an argument.
func (r *Request) tail(c byte) Verdict {
	if !r.cr && c == '\r' {
		r.cr = true
		return More
	}
	if !r.cr || c != '\n' {
		_, v := r.fail(faultTail)
		return v
	}
	r.endArg()
	return More
}

func (r *Request) endArg() {
	r.cr, r.at = false, requestArgs
	if r.left--; r.left == 0 {
		r.at = requestDone
	}
}

// Skipped says that k of the bytes which Stream offered to skip have passed. The line end behind an argument may be among
// them: like the server, nobody then looks at what it is. Stream(nil) tells whether the request ended with it.
func (r *Request) Skipped(k int64) {
	if r.at == requestBody {
		passed := min(k, r.body)
		r.body -= passed
		k -= passed
		if r.body == 0 {
			r.at = requestTail
		}
	}
	for ; k > 0 && r.at == requestTail; k-- {
		if r.cr {
			r.endArg()
		} else {
			r.cr = true
		}
	}
}

// Command is the command, once its name has been seen; Unknown until then.
func (r *Request) Command() Command { return r.command }

// Argc is the number of arguments, the command's name included.
func (r *Request) Argc() int { return int(r.argc) }

// Inline says whether the request is a plain line of text.
func (r *Request) Inline() bool { return r.inline }

// Fault is the error text that the server would give, without the leading minus; it is empty where the server would
// close without a word.
func (r *Request) Fault() string { return r.fault.text(r.odd) }

// Foreign says that the fault is a sender who speaks HTTP or TLS.
func (r *Request) Foreign() bool { return r.at == requestBad && r.fault == faultSilent }

// Reset puts the request at a boundary.
func (r *Request) Reset() { *r = Request{} }

func (r *Request) fail(f fault) (int, Verdict) {
	r.at, r.fault = requestBad, f
	return 0, Bad
}

func (r *Request) failAt(odd byte) (int, Verdict) {
	r.odd = odd
	return r.fail(faultDollar)
}
