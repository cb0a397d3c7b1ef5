package resp

import (
	"strings"
	"testing"
)

// guestRows are requests of a client that has not logged in; want is the fault, or nothing.
var guestRows = []struct{ name, raw, want string }{
	{"login", "*2\r\n$4\r\nAUTH\r\n$1\r\nx\r\n", ""},
	{"ten arguments", "*10\r\n" + strings.Repeat("$1\r\nx\r\n", 10), ""},
	{"eleven arguments", "*11\r\n", "ERR Protocol error: unauthenticated multibulk length"},
	{"too many for anybody", "*1048577\r\n", "ERR Protocol error: invalid multibulk length"},
	{"argument of the limit", "*1\r\n$16384\r\n" + strings.Repeat("x", 16384) + "\r\n", ""},
	{"argument beyond the limit", "*1\r\n$16385\r\n", "ERR Protocol error: unauthenticated bulk length"},
	{"too long for anybody", "*1\r\n$536870913\r\n", "ERR Protocol error: invalid bulk length"},
	{"ten large arguments", "*10\r\n" + strings.Repeat("$16384\r\n"+strings.Repeat("x", 16384)+"\r\n", 10), ""},
	{"too large in a large request", "*10\r\n" + strings.Repeat("$16384\r\n"+strings.Repeat("x", 16384)+"\r\n", 9) + "$16385\r\n",
		"ERR Protocol error: unauthenticated bulk length"},
	{"line", "PING " + strings.Repeat("x ", 100) + "\r\n", ""},
}

func TestScanGuest(t *testing.T) {
	for _, row := range guestRows {
		for _, step := range []int{1, 7, 4096, len(row.raw)} {
			got, ends := scanGuest([]byte(row.raw), step)
			if got != row.want || (row.want == "") != ends {
				t.Errorf("%s in steps of %d: got %q, ended %v, want %q", row.name, step, got, ends, row.want)
			}
		}
	}
}

// scanGuest feeds raw in steps and returns the fault, or whether a whole request ended with it.
func scanGuest(raw []byte, step int) (fault string, ends bool) {
	var r Request
	have, streamed := 0, -1
	for have < len(raw) {
		have = min(have+step, len(raw))
		n, v := 0, More
		if streamed < 0 {
			n, v = r.ScanGuest(raw[:have])
			if v == Big {
				streamed = n
			}
		}
		if streamed >= 0 {
			n, _, v = r.Stream(raw[streamed:have])
			streamed += n
			n = streamed
		}
		switch v {
		case Bad:
			return r.Fault(), false
		case Whole:
			return "", n == len(raw)
		}
	}
	return "", false
}

// The limits end with the request: they belong to the sender of that one.
func TestScanForgetsTheGuest(t *testing.T) {
	var r Request
	if _, v := r.ScanGuest([]byte("*1\r\n$4\r\nPING\r\n")); v != Whole {
		t.Fatalf("got %v", v)
	}
	large := []byte("*11\r\n" + strings.Repeat("$1\r\nx\r\n", 11))
	if n, v := r.Scan(large); v != Whole || n != len(large) {
		t.Errorf("got %d, %v", n, v)
	}
	if _, v := r.ScanGuest(large); v != Bad || !r.GuestFault() {
		t.Errorf("got %v, %q", v, r.Fault())
	}
}
