package resp

import "bytes"

// replyAt is where a reply stands.
//
//	start -> head -> line -> head ... -> done
//	          | |                 ^
//	          | +-> body -> tail -+
//	          +-> size -> body or head   (Stream only: a header that arrives in pieces)
//	any -> bad                           (final)
type replyAt uint8

const (
	// replyStart stands at a boundary.
	replyStart replyAt = iota
	// replyHead stands before the type byte of an element.
	replyHead
	// replyLine is inside a line that ends at CRLF.
	replyLine
	// replySize is inside the number of a header.
	replySize
	// replyBody is inside a string of which body bytes are missing.
	replyBody
	// replyTail is in the line end behind a string.
	replyTail
	// replyDone has ended: the next Scan starts afresh.
	replyDone
	// replyBad is a protocol error: there is no boundary any more.
	replyBad
)

// Reply is the progress through one top-level frame of a server. The zero value stands at a boundary.
//
// However deep a frame nests, one counter finds its end: an element takes one from it and an aggregate adds its
// members. Attributes and pushes add theirs without being elements themselves, so they can stand anywhere.
//
// Invariant: between start and done, left >= 1 and left <= elementsMax.
type Reply struct {
	size header
	// left counts the elements that have not ended.
	left int64
	// body counts the bytes of the present string that are still to come, in Stream; its whole length, in Scan.
	body int64
	// pos is where Scan goes on, in bytes from the start of the frame.
	pos   int32
	extra int32
	// kind is the type byte of the present header, first that of the frame.
	kind, first byte
	at          replyAt
	fault       fault
	// top is set while the header of the frame itself is read.
	top bool
	// cr is set when the last byte was a carriage return that may begin a line end.
	cr bool
}

// Scan looks at a frame from its first byte on; p holds all its bytes so far, and perhaps more. It goes on where the
// last call with the same frame stopped. Whole ends at n, and the next call starts a new frame. While the verdict is
// More, len(p) < WholeMax.
func (r *Reply) Scan(p []byte) (n int, v Verdict) {
	switch r.at {
	case replyBad:
		return 0, Bad
	case replyDone:
		r.renew()
		fallthrough
	case replyStart:
		if len(p) == 0 {
			return 0, More
		}
		r.left, r.at = 1, replyHead
	}
	pos := int(r.pos)
	for {
		switch r.at {
		case replyHead:
			pos, v = r.scanHead(p, pos)
		case replyLine:
			pos, v = r.scanLine(p, pos)
		case replyBody:
			pos, v = r.scanBody(p, pos)
		}
		switch {
		case v == More && r.at == replyDone:
			return pos, Whole
		case v == Big || v == Bad:
			return pos, v
		case v == Blank:
			return r.pause(p, pos)
		}
	}
}

// The three parts of Scan return More to go on, and Blank when p has nothing more for them.
const again, starved = More, Blank

// pause remembers where to go on. A frame that has not ended within WholeMax bytes is Big.
func (r *Reply) pause(p []byte, pos int) (int, Verdict) {
	r.pos = int32(pos)
	if len(p) < WholeMax {
		return 0, More
	}
	r.cr = r.at == replyLine && p[pos-1] == '\r'
	return pos, Big
}

// scanHead reads the header that stands at pos.
func (r *Reply) scanHead(p []byte, pos int) (int, Verdict) {
	if pos == len(p) {
		return pos, starved
	}
	kind := p[pos]
	if shapes[kind] == shapeLine {
		r.begin(kind)
		r.at = replyLine
		return pos + 1, again
	}
	if shapes[kind] == shapeNone {
		return 0, r.fail(faultType)
	}
	num, k := number(p[pos+1:])
	if k < 0 {
		return 0, r.fail(faultLength)
	}
	if k == 0 || pos+1+k > WholeMax {
		return pos, starved
	}
	r.begin(kind)
	if v := r.open(num); v == Bad || r.at == replyDone {
		return pos + 1 + k, v
	}
	pos += 1 + k
	end := int64(pos) + r.left*elementMin
	if r.at == replyBody {
		end += r.body + 2 - elementMin
	}
	if end > WholeMax {
		return pos, Big
	}
	return pos, again
}

// scanLine looks for the end of the line that goes on at pos.
func (r *Reply) scanLine(p []byte, pos int) (int, Verdict) {
	stop := min(len(p), WholeMax)
	k := bytes.IndexByte(p[pos:stop], '\n')
	if k < 0 {
		return stop, starved
	}
	pos += k + 1
	if p[pos-2] != '\r' {
		return 0, r.fail(faultLine)
	}
	r.close()
	return pos, again
}

// scanBody passes over the string that begins at pos.
func (r *Reply) scanBody(p []byte, pos int) (int, Verdict) {
	end := pos + int(r.body)
	if end+2 > len(p) {
		return pos, starved
	}
	if p[end] != '\r' || p[end+1] != '\n' {
		return 0, r.fail(faultString)
	}
	r.close()
	return end + 2, again
}

// Stream goes on after Big: p is just what comes next, in pieces of any size. It returns Whole when the frame ended at
// n. Otherwise it took all of p, and the skip bytes that follow are content, and its line end, that need not be looked at;
// the caller may move them past us, and says so with Skipped.
func (r *Reply) Stream(p []byte) (n int, skip int64, v Verdict) {
	for n < len(p) && r.at != replyDone {
		var k int
		switch r.at {
		case replyBody:
			k = int(min(r.body, int64(len(p)-n)))
			r.Skipped(int64(k))
		case replyTail:
			k, v = 1, r.streamTail(p[n])
		case replyLine:
			k, v = r.streamLine(p[n:])
		case replyHead:
			k, v = r.streamHead(p[n:])
		case replySize:
			k, v = 1, r.streamSize(p[n])
		default:
			v = r.fail(faultOrder)
		}
		n += k
		if v == Bad {
			return n, 0, Bad
		}
	}
	switch r.at {
	case replyDone:
		return n, 0, Whole
	case replyBody:
		return n, r.body + lineEnd, More
	}
	return n, 0, More
}

// Skipped says that k of the bytes which Stream offered to skip have passed. The line end behind a string may be among them:
// like the server, nobody then looks at what it is. Stream(nil) tells whether the frame ended with it.
func (r *Reply) Skipped(k int64) {
	if r.at == replyBody {
		passed := min(k, r.body)
		r.body -= passed
		k -= passed
		if r.body == 0 {
			r.at, r.cr = replyTail, false
		}
	}
	for ; k > 0 && r.at == replyTail; k-- {
		if r.cr {
			r.close()
		}
		r.cr = true
	}
}

// First is the type byte of the frame, its attributes skipped; '>' is a push outside any reply. It is 0 until seen.
func (r *Reply) First() byte { return r.first }

// Expect says, before a frame starts, how many more (or fewer) elements it has than its header is going to tell. It is
// meant for EXEC, whose queued commands may answer with any number of frames. It counts for the next frame that is not
// a push, and only if that is an aggregate.
func (r *Reply) Expect(extra int64) {
	if r.at == replyDone {
		r.Reset()
	}
	r.extra = int32(extra)
}

// Fresh says that the reply stands at a boundary and that nothing is expected.
func (r *Reply) Fresh() bool { return r.at == replyStart && r.extra == 0 }

// Fault says what was wrong, for the log.
func (r *Reply) Fault() string { return r.fault.text(0) }

// Reset puts the reply at a boundary and forgets what was expected.
func (r *Reply) Reset() { *r = Reply{} }

// renew is Reset between two frames: a push does not use up what was expected of the reply behind it.
func (r *Reply) renew() {
	extra := r.extra
	if r.first != '>' {
		extra = 0
	}
	*r = Reply{extra: extra}
}

func (r *Reply) fail(f fault) Verdict {
	r.at, r.fault = replyBad, f
	return Bad
}
