package resp

// Simple is the length of the frame that p begins with when it is whole and one of those that nearly every reply is: a string,
// a number or a status. 0 says nothing: Scan has to look. It keeps the rules of Scan, in a third of its time.
func Simple(p []byte) int {
	if len(p) < len("+\r\n") {
		return 0
	}
	switch p[0] {
	case '$':
		size, n := 0, 1
		for ; n < len(p) && n <= simpleDigitsMax; n++ {
			digit := p[n] - '0'
			if digit > 9 {
				break
			}
			size = size*10 + int(digit)
		}
		end := n + lineEnd + size + lineEnd
		if n == 1 || (p[1] == '0' && n > 2) || end > len(p) || end > WholeMax || !endsLine(p, n+lineEnd) || !endsLine(p, end) {
			return 0
		}
		return end
	case '+', ':':
		for n := 1; n < min(len(p), simpleLineMax); n++ {
			if p[n] == '\n' {
				if p[n-1] != '\r' {
					return 0
				}
				return n + 1
			}
		}
	}
	return 0
}

const (
	// simpleDigitsMax is the most digits of the length of a string that is kept whole.
	simpleDigitsMax = 5
	// simpleLineMax is how many bytes of a line are looked at one by one; a longer one is left to Scan.
	simpleLineMax = 24
)

// endsLine says that a line of p ends at end.
func endsLine(p []byte, end int) bool { return p[end-1] == '\n' && p[end-2] == '\r' }
