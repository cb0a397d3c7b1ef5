package resp

// Args appends the arguments of one whole request to dst. They are parts of req, except for quoted words of inline
// requests. It is false if req is not exactly one request.
func Args(req []byte, dst [][]byte) ([][]byte, bool) {
	if len(req) == 0 {
		return dst, false
	}
	if req[0] != '*' {
		return lineArgs(req, dst)
	}
	argc, k := number(req[1:])
	if k <= 0 || argc > argcMax {
		return dst, false
	}
	rest := req[1+k:]
	for ; argc > 0; argc-- {
		if len(rest) == 0 || rest[0] != '$' {
			return dst, false
		}
		arg, n := text(rest)
		if n == 0 || arg == nil {
			return dst, false
		}
		dst, rest = append(dst, arg), rest[n:]
	}
	return dst, len(rest) == 0
}

func lineArgs(req []byte, dst [][]byte) ([][]byte, bool) {
	if req[len(req)-1] != '\n' {
		return dst, false
	}
	line := trimLine(req)
	for i := skipSpace(line, 0); i < len(line); i = skipSpace(line, i) {
		arg, next, ok := word(line, i, nil)
		if !ok {
			return dst, false
		}
		dst, i = append(dst, arg), next
	}
	return dst, true
}

// text is the content of the string with a length at the start of p, and the bytes it takes. A null has nil content; n
// is 0 if p does not hold it whole.
func text(p []byte) (content []byte, n int) {
	size, k := number(p[1:])
	if k <= 0 || size < -1 || size > int64(len(p)) {
		return nil, 0
	}
	start := 1 + k
	if size == -1 {
		return nil, start
	}
	end := start + int(size)
	if end+2 > len(p) || p[end] != '\r' || p[end+1] != '\n' {
		return nil, 0
	}
	return p[start:end:end], end + 2
}

// Elements appends the members of one whole array, set or push to dst: the content of strings and lines, nil for
// nulls, and the complete frame of members that are aggregates themselves. It is false for every other frame.
func Elements(frame []byte, dst [][]byte) ([][]byte, bool) {
	if len(frame) == 0 || frame[0] != '*' && frame[0] != '>' && frame[0] != '~' {
		return dst, false
	}
	count, k := number(frame[1:])
	if k <= 0 || count < 0 {
		return dst, false
	}
	rest := frame[1+k:]
	for ; count > 0; count-- {
		member, n := element(rest)
		if n == 0 {
			return dst, false
		}
		dst, rest = append(dst, member), rest[n:]
	}
	return dst, len(rest) == 0
}

// element is the member at the start of p, and the bytes it takes; 0 if p does not hold it whole.
func element(p []byte) ([]byte, int) {
	var r Reply
	n, v := r.Scan(p)
	if v != Whole {
		return nil, 0
	}
	switch shapes[p[0]] {
	case shapeString:
		return text(p)
	case shapeLine:
		if p[0] == '_' {
			return nil, n
		}
		return p[1 : n-2 : n-2], n
	}
	if n == len("*-1\r\n") && p[0] == '*' && p[1] == '-' {
		return nil, n
	}
	return p[:n:n], n
}
