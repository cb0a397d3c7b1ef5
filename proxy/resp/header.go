package resp

// number reads the decimal number and the line end of a header line, from behind its type byte. n is what it took; 0
// means that p ends first, and a negative n that the line is wrong whatever follows. Signs other than one minus,
// leading zeros, spaces and bare line ends are wrong: servers differ about them.
func number(p []byte) (v int64, n int) {
	i, first := 0, 0
	if len(p) > 0 && p[0] == '-' {
		i, first = 1, 1
	}
	for ; i < len(p); i++ {
		c := p[i] - '0'
		if c > 9 {
			break
		}
		if i-first == digitsMax {
			return 0, -1
		}
		v = v*10 + int64(c)
	}
	if i > first && p[first] == '0' && (i-first > 1 || first == 1) {
		return 0, -1
	}
	if i == len(p) {
		return 0, 0
	}
	if i == first || p[i] != '\r' {
		return 0, -1
	}
	if i+1 == len(p) {
		return 0, 0
	}
	if p[i+1] != '\n' {
		return 0, -1
	}
	if first == 1 {
		v = -v
	}
	return v, i + 2
}

// numberAt is how far a header has come.
//
//	numberStart -> numberMinus -> numberDigits -> numberEnd -> numberStart
//	     |   |                       ^    |          ^
//	     |   +-----------------------+    |          |
//	     +-----------> numberZero --------+----------+
type numberAt uint8

const (
	// numberStart stands behind the type byte.
	numberStart numberAt = iota
	// numberMinus stands behind the sign: a digit other than zero must follow.
	numberMinus
	// numberDigits stands behind a digit.
	numberDigits
	// numberZero stands behind a leading zero, which is the whole number.
	numberZero
	// numberEnd stands behind the carriage return: only a line feed may follow.
	numberEnd
)

// header is number for a line whose bytes arrive one at a time. Both accept exactly the same lines.
type header struct {
	num    int64
	at     numberAt
	digits uint8
	neg    bool
}

// step takes one byte. done means that the line has ended and h.num is its number.
func (h *header) step(c byte) (done, ok bool) {
	digit := c - '0'
	switch {
	case h.at == numberEnd:
		if h.neg {
			h.num = -h.num
		}
		return true, c == '\n'
	case c == '\r' && (h.at == numberDigits || h.at == numberZero):
		h.at = numberEnd
	case c == '-' && h.at == numberStart:
		h.at, h.neg = numberMinus, true
	case digit == 0 && h.at == numberStart:
		h.at = numberZero
	case digit == 0 && h.at == numberMinus, digit > 9, h.at == numberZero, h.digits == digitsMax:
		return false, false
	default:
		h.at, h.num, h.digits = numberDigits, h.num*10+int64(digit), h.digits+1
	}
	return false, true
}
