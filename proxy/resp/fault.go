package resp

// fault is why a request or a reply was refused.
type fault uint8

const (
	// faultSilent is answered by closing only: the peer is a browser or speaks TLS.
	faultSilent fault = iota
	faultArgc
	faultBulk
	faultDollar
	faultTail
	faultInlineBig
	faultInlineQuotes
	faultInlineNul
	faultGuestArgc
	faultGuestBulk
	faultOrder
	faultType
	faultLength
	faultLine
	faultString
	faultElements
)

// The first group are texts for a client, the server's own where it has one; the second group is for our log.
var faultTexts = [...]string{
	faultSilent:       "",
	faultArgc:         "ERR Protocol error: invalid multibulk length",
	faultBulk:         "ERR Protocol error: invalid bulk length",
	faultDollar:       "ERR Protocol error: expected '$', got '",
	faultTail:         "ERR Protocol error: expected CRLF after bulk data",
	faultInlineBig:    "ERR Protocol error: too big inline request",
	faultInlineQuotes: "ERR Protocol error: unbalanced quotes in request",
	faultInlineNul:    "ERR Protocol error: invalid NUL byte in inline request",
	faultGuestArgc:    "ERR Protocol error: unauthenticated multibulk length",
	faultGuestBulk:    "ERR Protocol error: unauthenticated bulk length",
	faultOrder:        "ERR Protocol error: continued a request that was not begun",

	faultType:     "unknown type byte",
	faultLength:   "invalid length",
	faultLine:     "line feed without carriage return",
	faultString:   "string is not followed by CRLF",
	faultElements: "too many elements",
}

// text completes the message with the byte it complains about. Bytes that would end the error line become spaces, as
// they do in the server.
func (f fault) text(odd byte) string {
	if f != faultDollar {
		return faultTexts[f]
	}
	if odd == '\r' || odd == '\n' || odd == 0 {
		odd = ' '
	}
	return faultTexts[f] + string([]byte{odd}) + "'"
}
