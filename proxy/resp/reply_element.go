package resp

import "bytes"

// shape is how a type byte is followed on the wire.
type shape uint8

const (
	// shapeNone is no type byte. Streamed types ('$?', ';', '.') are among them: no server sends them.
	shapeNone shape = iota
	// shapeLine is content up to CRLF.
	shapeLine
	// shapeString is a length, and as many bytes.
	shapeString
	// shapeAggregate is a count, and as many members.
	shapeAggregate
)

var shapes = [256]shape{
	'+': shapeLine, '-': shapeLine, ':': shapeLine, ',': shapeLine, '_': shapeLine, '#': shapeLine, '(': shapeLine,
	'$': shapeString, '=': shapeString, '!': shapeString,
	'*': shapeAggregate, '~': shapeAggregate, '%': shapeAggregate, '|': shapeAggregate, '>': shapeAggregate,
}

// begin notes the type byte of a header. While the frame's own type is unknown, left exceeds 1 exactly inside of
// attributes that precede it.
func (r *Reply) begin(kind byte) {
	r.kind = kind
	r.top = r.first == 0 && r.left == 1 && kind != '|'
	if r.top {
		r.first = kind
	}
}

// open acts on the number of a header.
func (r *Reply) open(num int64) Verdict {
	r.at = replyHead
	if num == -1 && (r.kind == '$' || r.kind == '*') {
		r.close()
		return More
	}
	if shapes[r.kind] == shapeString {
		if num < 0 || num > replyBulkMax {
			return r.fail(faultLength)
		}
		r.body, r.at = num, replyBody
		return More
	}
	if num < 0 || num > elementsMax {
		return r.fail(faultLength)
	}
	switch r.kind {
	case '|':
		r.left += 2 * num
	case '%':
		r.left += 2*num - 1
	case '>':
		r.left += num
		if r.top {
			r.left--
		}
	default:
		r.left += num - 1
	}
	if r.top && r.kind != '>' {
		r.left += int64(r.extra)
	}
	if r.left > elementsMax {
		return r.fail(faultElements)
	}
	if r.left <= 0 {
		r.at = replyDone
	}
	return More
}

// close ends one element that is no aggregate.
func (r *Reply) close() {
	r.at = replyHead
	if r.left--; r.left <= 0 {
		r.at = replyDone
	}
}

// streamHead takes a type byte, and its number if p holds the whole of it.
func (r *Reply) streamHead(p []byte) (int, Verdict) {
	kind := p[0]
	switch shapes[kind] {
	case shapeNone:
		return 0, r.fail(faultType)
	case shapeLine:
		r.begin(kind)
		r.at, r.cr = replyLine, false
		return 1, More
	}
	r.begin(kind)
	if num, k := number(p[1:]); k > 0 {
		return 1 + k, r.open(num)
	}
	r.at, r.size = replySize, header{}
	return 1, More
}

// streamSize takes one byte of a number.
func (r *Reply) streamSize(c byte) Verdict {
	done, ok := r.size.step(c)
	if !ok {
		return r.fail(faultLength)
	}
	if done {
		return r.open(r.size.num)
	}
	return More
}

// streamLine takes what p holds of a line.
func (r *Reply) streamLine(p []byte) (int, Verdict) {
	k := bytes.IndexByte(p, '\n')
	if k < 0 {
		r.cr = p[len(p)-1] == '\r'
		return len(p), More
	}
	if k > 0 {
		r.cr = p[k-1] == '\r'
	}
	if !r.cr {
		return k, r.fail(faultLine)
	}
	r.close()
	return k + 1, More
}

// streamTail takes one byte of the line end behind a string.
func (r *Reply) streamTail(c byte) Verdict {
	if !r.cr && c == '\r' {
		r.cr = true
		return More
	}
	if !r.cr || c != '\n' {
		return r.fail(faultString)
	}
	r.close()
	return More
}
