package resp

// Verdict is what a scan found.
type Verdict uint8

const (
	// More means that everything given belongs to a frame that has not ended. (n is 0 from Scan, all from Stream.)
	More Verdict = iota
	// Whole means that one frame ended at n.
	Whole
	// Blank is for requests only: n bytes that the server ignores and does not answer, to be dropped.
	Blank
	// Big means that the frame is, or is going to be, larger than WholeMax: go on with Stream from byte n.
	Big
	// Bad means a protocol error, which Fault explains. It is final.
	Bad
)

var verdictNames = [...]string{"more", "whole", "blank", "big", "bad"}

// String is the name used in logs and tests.
func (v Verdict) String() string {
	if int(v) >= len(verdictNames) {
		return "invalid"
	}
	return verdictNames[v]
}

// WholeMax is the size in bytes up to which a caller keeps a frame whole. Below it a cut request can be sent again and a
// reply is forwarded only when it is complete; above it bodies are moved without being looked at. No scan ever asks
// for more than WholeMax bytes at once.
const WholeMax = 64 << 10

const (
	// digitsMax is the longest number read in a header line. 18 digits always fit an int64, so no sum overflows; the
	// server's own limits are far below. With it a header line has at most 22 bytes.
	digitsMax = 18
	// argcMax is the number of arguments of one request. Redis 7 dropped this limit of its older versions; nobody sends
	// more, except to make somebody allocate.
	argcMax = 1 << 20
	// bulkMax is the size of one argument in bytes: the server's default proto-max-bulk-len.
	bulkMax = 512 << 20
	// guestArgcMax and guestBulkMax are the server's own limits for whoever has not given the password it asks for: room for
	// AUTH and HELLO, and for nothing that costs memory.
	guestArgcMax = 10
	guestBulkMax = 16384
	// inlineMax is the length of an inline request in bytes with its line end, as in the server.
	inlineMax = 64 << 10
	// replyBulkMax is the size of one string in a reply in bytes. Servers may be configured beyond bulkMax, and DUMP
	// adds to it; a terabyte is nonsense.
	replyBulkMax = 1 << 40
	// elementsMax bounds the header of one aggregate, and the outstanding elements of a whole reply, so that the counter
	// cannot overflow.
	elementsMax = 1 << 40
	// lineEnd is the size of CRLF in bytes.
	lineEnd = 2
	// argMin and elementMin are the smallest encodings, "$0\r\n\r\n" and "_\r\n": with them a header already shows that
	// a frame is going to be Big.
	argMin     = 6
	elementMin = 3
)
