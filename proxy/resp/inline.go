package resp

import "bytes"

// tlsHandshake is the first byte of a TLS client that came to a plain port.
const tlsHandshake = 0x16

// beginLine starts an inline request: every first byte but '*' does, as in the server.
func (r *Request) beginLine(p []byte) (int, Verdict) {
	r.inline = true
	if p[0] == tlsHandshake {
		return r.fail(faultSilent)
	}
	r.at = requestLine
	return r.scanLine(p)
}

// scanLine looks for the end of an inline request. A server stops looking at a NUL byte and waits for ever, so it is
// refused here.
func (r *Request) scanLine(p []byte) (int, Verdict) {
	fresh := p[r.pos:min(len(p), inlineMax)]
	k := bytes.IndexByte(fresh, '\n')
	if k >= 0 {
		fresh = fresh[:k]
	}
	if bytes.IndexByte(fresh, 0) >= 0 {
		return r.fail(faultInlineNul)
	}
	if k >= 0 {
		n := int(r.pos) + k + 1
		return n, r.line(trimLine(p[:n]))
	}
	if len(p) >= inlineMax {
		return r.fail(faultInlineBig)
	}
	r.pos = int32(len(p))
	return 0, More
}

// line judges a complete inline request.
func (r *Request) line(line []byte) Verdict {
	var room [2 * nameMax]byte
	var last []byte
	for i := skipSpace(line, 0); i < len(line); i = skipSpace(line, i) {
		arg, next, ok := word(line, i, room[:0])
		if !ok {
			_, v := r.fail(faultInlineQuotes)
			return v
		}
		if r.argc < 2 && !r.name(int(r.argc), arg) {
			_, v := r.fail(faultSilent)
			return v
		}
		last, i = arg, next
		r.argc++
	}
	if r.argc == 3 && r.command.maybeHTTP() && bytes.HasPrefix(last, []byte("HTTP/")) {
		_, v := r.fail(faultSilent)
		return v
	}
	r.at = requestDone
	if r.argc == 0 {
		return Blank
	}
	return Whole
}

// maybeHTTP says whether three words that end in HTTP/1.1 can be an HTTP request line and no valid command: GET takes
// one argument, and the other methods are no commands.
func (c Command) maybeHTTP() bool { return c == Unknown || table[c].Name == "get" }

// trimLine takes the line end off.
func trimLine(line []byte) []byte {
	line = line[:len(line)-1]
	if n := len(line); n > 0 && line[n-1] == '\r' {
		line = line[:n-1]
	}
	return line
}

// word reads the word at line[i], which is no space, by the server's rules. It is a part of line if it has no quotes;
// otherwise it is appended to room. next is where the line goes on.
func word(line []byte, i int, room []byte) (arg []byte, next int, ok bool) {
	for next = i; next < len(line); next++ {
		switch line[next] {
		case ' ', '\t', '\r':
			return line[i:next], next, true
		case '"', '\'':
			return quoted(line, next, append(room, line[i:next]...))
		}
	}
	return line[i:], next, true
}

// quoted goes on with a word at its first quote. A quote may open inside of a word, but after it closed the word ends.
func quoted(line []byte, i int, room []byte) (arg []byte, next int, ok bool) {
	quote := line[i]
	for i++; i < len(line); i++ {
		switch c := line[i]; {
		case c == quote:
			return room, i + 1, i+1 == len(line) || isSpace(line[i+1])
		case c == '\\' && quote == '"' && i+1 < len(line):
			c, k := unescape(line[i+1:])
			room = append(room, c)
			i += k
		case c == '\\' && i+1 < len(line) && line[i+1] == '\'':
			room = append(room, '\'')
			i++
		default:
			room = append(room, c)
		}
	}
	return nil, i, false
}

// unescape reads what stands behind a backslash in double quotes; n is what it took.
func unescape(p []byte) (c byte, n int) {
	switch p[0] {
	case 'n':
		return '\n', 1
	case 'r':
		return '\r', 1
	case 't':
		return '\t', 1
	case 'b':
		return '\b', 1
	case 'a':
		return '\a', 1
	case 'x':
		if len(p) > 2 && hexDigit(p[1]) >= 0 && hexDigit(p[2]) >= 0 {
			return byte(hexDigit(p[1])<<4 | hexDigit(p[2])), 3
		}
	}
	return p[0], 1
}

func hexDigit(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return -1
}

func skipSpace(line []byte, i int) int {
	for i < len(line) && isSpace(line[i]) {
		i++
	}
	return i
}

// isSpace is the C library's idea of it.
func isSpace(c byte) bool { return c == ' ' || '\t' <= c && c <= '\r' }
