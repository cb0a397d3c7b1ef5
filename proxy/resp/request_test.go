package resp

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"unsafe"
)

const ping = "*1\r\n$4\r\nPING\r\n"

// requestRows are the inputs of the framing table: what the boundaries are, and the text of the fault. "whole 14 ping 1"
// is a request that ends at byte 14.
var requestRows = []struct{ name, in, want string }{
	{"multibulk", ping, "whole 14 ping 1"},
	{"pipeline", ping + ping, "whole 14 ping 1; whole 28 ping 1"},
	{"empty argument", "*2\r\n$4\r\nPING\r\n$0\r\n\r\n", "whole 20 ping 2"},
	{"body looks like a request", "*2\r\n$4\r\nECHO\r\n$18\r\n\r\n*1\r\n$4\r\nPING\r\n\r\n\r\n", "whole 39 echo 2"},
	{"container", "*3\r\n$6\r\nclient\r\n$7\r\nSetName\r\n$1\r\nx\r\n", "whole 36 client|setname 3"},
	{"container with unknown subcommand", "*2\r\n$6\r\nCLIENT\r\n$1\r\nx\r\n", "whole 23 client 2"},
	{"container alone", "*1\r\n$6\r\nCLIENT\r\n", "whole 16 client 1"},
	{"unknown command", "*1\r\n$4\r\nNOPE\r\n", "whole 14 unknown 1"},
	{"empty command", "*1\r\n$0\r\n\r\n", "whole 10 unknown 1"},
	{"long name", "*1\r\n$30\r\n" + strings.Repeat("n", 30) + "\r\n", "whole 41 unknown 1"},
	{"unfinished", "*2\r\n$4\r\nPING\r\n", ""},
	{"unfinished body", "*1\r\n$40\r\nPING\r\n", ""},

	{"no arguments", "*0\r\n" + ping, "blank 4; whole 18 ping 1"},
	{"null", "*-1\r\n", "blank 5"},
	{"negative", "*-5\r\n", "blank 5"},
	{"empty line", "\r\n" + ping, "blank 2; whole 16 ping 1"},
	{"bare empty line", "\n", "blank 1"},
	{"spaces only", " \t \r\n", "blank 5"},

	{"inline", "PING\r\n", "whole 6 ping 1"},
	{"inline with bare line feed", "PING\n", "whole 5 ping 1"},
	{"inline with spaces around", "  \tECHO \v x \r\n", "whole 14 echo 2"},
	{"inline quotes", "\"P\\x49NG\" 'it\\'s'\r\n", "whole 19 ping 2"},
	{"inline quote inside a word", "PI\"NG\"\r\n", "whole 8 ping 1"},
	{"inline container", "config get x\r\n", "whole 14 config|get 3"},
	{"inline vertical tab in a word", "ECHO a\vb\r\n", "whole 10 echo 2"},
	{"inline carriage returns", "PING\r\r\n", "whole 7 ping 1"},
	{"inline open quote", "ECHO \"x\r\n", "bad 0 ERR Protocol error: unbalanced quotes in request"},
	{"inline text behind a quote", "ECHO \"x\"y\r\n", "bad 0 ERR Protocol error: unbalanced quotes in request"},
	{"inline trailing backslash", "ECHO \"x\\\r\n", "bad 0 ERR Protocol error: unbalanced quotes in request"},
	{"inline longest", "GET " + strings.Repeat("x", inlineMax-6) + "\r\n", "whole 65536 get 2"},
	{"inline too long", "GET " + strings.Repeat("x", inlineMax-5) + "\r\n", "bad 0 ERR Protocol error: too big inline request"},
	{"inline NUL", "PI\x00NG\r\n", "bad 0 ERR Protocol error: invalid NUL byte in inline request"},

	{"dollar first", "$4\r\n", "whole 4 unknown 1"},
	{"percent first", "%1\r\n", "whole 4 unknown 1"},
	{"plus first", "+PING\r\n", "whole 7 unknown 1"},

	{"long header", "*" + strings.Repeat("1", 70000), "bad 0 ERR Protocol error: invalid multibulk length"},
	{"long argument header", "*1\r\n$" + strings.Repeat("1", 70000), "bad 0 ERR Protocol error: invalid bulk length"},
	{"text for a count", "*x\r\n", "bad 0 ERR Protocol error: invalid multibulk length"},
	{"no count", "*\r\n", "bad 0 ERR Protocol error: invalid multibulk length"},
	{"only a minus", "*-\r\n", "bad 0 ERR Protocol error: invalid multibulk length"},
	{"minus zero", "*-0\r\n", "bad 0 ERR Protocol error: invalid multibulk length"},
	{"too many arguments", "*1048577\r\n", "bad 0 ERR Protocol error: invalid multibulk length"},
	{"INT_MAX arguments", "*2147483647\r\n", "bad 0 ERR Protocol error: invalid multibulk length"},
	{"count overflows", "*18446744073709551617\r\n", "bad 0 ERR Protocol error: invalid multibulk length"},
	{"line feed only", "*1\n$4\nPING\n", "bad 0 ERR Protocol error: invalid multibulk length"},
	{"carriage return and something", "*1\rx$4\r\nPING\r\n", "bad 0 ERR Protocol error: invalid multibulk length"},
	{"plus in count", "*+1\r\n", "bad 0 ERR Protocol error: invalid multibulk length"},
	{"zero before count", "*01\r\n", "bad 0 ERR Protocol error: invalid multibulk length"},
	{"space before count", "* 1\r\n", "bad 0 ERR Protocol error: invalid multibulk length"},
	{"space behind count", "*1 \r\n", "bad 0 ERR Protocol error: invalid multibulk length"},
	{"zero before length", "*1\r\n$04\r\nPING\r\n", "bad 0 ERR Protocol error: invalid bulk length"},
	{"null argument", "*1\r\n$-1\r\n", "bad 0 ERR Protocol error: invalid bulk length"},
	{"length beyond the limit", "*1\r\n$536870913\r\n", "bad 0 ERR Protocol error: invalid bulk length"},
	{"carriage return in length", "*1\r\n$4\rxPING\r\n", "bad 0 ERR Protocol error: invalid bulk length"},
	{"integer argument", "*1\r\n:1\r\n", "bad 0 ERR Protocol error: expected '$', got ':'"},
	{"line end for an argument", "*1\r\n\r\n", "bad 0 ERR Protocol error: expected '$', got ' '"},
	{"argument without line end", "*1\r\n$4\r\nPINGxx", "bad 0 ERR Protocol error: expected CRLF after bulk data"},
	{"argument with half a line end", "*1\r\n$4\r\nPING\rx", "bad 0 ERR Protocol error: expected CRLF after bulk data"},
	{"bad behind good", ping + "*x\r\n", "whole 14 ping 1; bad 14 ERR Protocol error: invalid multibulk length"},

	{"POST", "POST / HTTP/1.1\r\nHost: x\r\n", "bad 0 "},
	{"Host", "hOST: 10.0.0.1\r\n", "bad 0 "},
	{"POST as multibulk", "*1\r\n$4\r\npost\r\n", "bad 0 "},
	{"GET over HTTP", "GET /index HTTP/1.1\r\n", "bad 0 "},
	{"OPTIONS over HTTP", "OPTIONS /index HTTP/1.1\r\n", "bad 0 "},
	{"GET of a path", "GET /index\r\n", "whole 12 get 2"},
	{"TLS", "\x16\x03\x01\x02\x00\x01", "bad 0 "},

	{"large argument", bigSet(1 << 20), "whole 1048608 set 3"},
	{"just too large", bigSet(WholeMax - 29), "whole 65537 set 3"},
	{"just whole", bigSet(WholeMax - 30), "whole 65536 set 3"},
	{"large, bad line end", strings.TrimSuffix(bigSet(1<<17), "\n"), ""},
	{"many arguments", manyArgs(20000), "whole 200017 del 20001"},
	{"many arguments, one bad", manyArgs(20000) + "*2\r\n$70000\r\n" + strings.Repeat("x", 70001), "whole 200017 del 20001; " +
		"bad 200017 ERR Protocol error: expected CRLF after bulk data"},
	{"header across the limit", "*2\r\n$65516\r\n" + strings.Repeat("n", 65516) + "\r\n$100000\r\n" + strings.Repeat("x", 100000) + "\r\n",
		"whole 165541 unknown 2"},
	{"large name", "*1\r\n$70000\r\n" + strings.Repeat("n", 70000) + "\r\n", "whole 70014 unknown 1"},
	{"large subcommand", "*2\r\n$6\r\nCONFIG\r\n$70000\r\n" + strings.Repeat("n", 70000) + "\r\n", "whole 70026 config 2"},
}

func bigSet(size int) string {
	return fmt.Sprintf("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$%d\r\n%s\r\n", size, strings.Repeat("v", size))
}

func manyArgs(n int) string {
	return fmt.Sprintf("*%d\r\n$3\r\nDEL\r\n%s", n+1, strings.Repeat("$4\r\nkey1\r\n", n))
}

// show writes events as the rows do.
func show(events []event) string {
	var parts []string
	for _, e := range events {
		part := fmt.Sprint(e.verdict, " ", e.end)
		switch e.verdict {
		case Whole:
			part += " " + e.what[:strings.LastIndexByte(e.what, ' ')]
		case Bad:
			part += " " + e.what
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, "; ")
}

func TestRequestRows(t *testing.T) {
	for _, row := range requestRows {
		t.Run(row.name, func(t *testing.T) {
			got := show(sameHowever(t, requestEvents, []byte(row.in)))
			if got != row.want {
				t.Errorf("got  %q\nwant %q", got, row.want)
			}
		})
	}
}

func TestRequestIsSmallAndHasNoPointers(t *testing.T) {
	if got := unsafe.Sizeof(Request{}); got > 48 {
		t.Errorf("request: got %d bytes, want at most 48", got)
	}
	if got := unsafe.Sizeof(Reply{}); got > 48 {
		t.Errorf("reply: got %d bytes, want at most 48", got)
	}
}

func TestRequestBigKnowsItsCommand(t *testing.T) {
	var r Request
	header := "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$536870912\r\n"
	n, v := r.Scan([]byte(header + "begin"))
	if v != Big || n != len(header) || r.Command().String() != "set" || r.Argc() != 3 {
		t.Fatalf("got %v %d %v %d, want big %d set 3", v, n, r.Command(), r.Argc(), len(header))
	}
	n, skip, v := r.Stream([]byte("begin"))
	if n != 5 || skip != 536870912+2-5 || v != More {
		t.Fatalf("got %d %d %v, want 5 %d more", n, skip, v, 536870912+2-5)
	}
	r.Skipped(skip - 3)
	if n, skip, v = r.Stream([]byte("x\r")); n != 2 || skip != 0 || v != More {
		t.Fatalf("got %d %d %v, want 2 0 more", n, skip, v)
	}
	if n, skip, v = r.Stream([]byte("\n*1")); n != 1 || skip != 0 || v != Whole {
		t.Fatalf("got %d %d %v, want 1 0 whole", n, skip, v)
	}
	if n, v = r.Scan([]byte(ping)); n != len(ping) || v != Whole || r.Command() != CmdPing {
		t.Fatalf("got %d %v %v, want the next request", n, v, r.Command())
	}
}

func TestRequestBadIsFinalUntilReset(t *testing.T) {
	var r Request
	for range 2 {
		if _, v := r.Scan([]byte("*x\r\n")); v != Bad {
			t.Fatalf("got %v, want bad", v)
		}
	}
	if _, _, v := r.Stream([]byte(ping)); v != Bad {
		t.Fatalf("stream: got %v, want bad", v)
	}
	r.Reset()
	if _, v := r.Scan([]byte(ping)); v != Whole {
		t.Fatalf("after reset: got %v, want whole", v)
	}
}

// A request that trickles in must not be read from its start every time.
func TestRequestTrickleIsLinear(t *testing.T) {
	var r Request
	p := []byte(manyArgs(6000))
	for k := range p {
		if _, v := r.Scan(p[:k]); v != More {
			t.Fatalf("at byte %d: got %v, want more", k, v)
		}
		if at := int(r.pos); k-at > 24+int(r.body) {
			t.Fatalf("at byte %d the scan stands at %d", k, at)
		}
	}
}

func TestNumberAndHeaderAgree(t *testing.T) {
	lines := []string{"0", "1", "-1", "-0", "-", "", "00", "01", "10", "-10", "-01", "+1", " 1", "1 ", "?", "1a",
		strings.Repeat("9", digitsMax), strings.Repeat("9", digitsMax+1), "-" + strings.Repeat("9", digitsMax)}
	for _, line := range lines {
		for _, end := range []string{"\r\n", "\n", "\r", "", "\rx", "\r\r\n"} {
			checkNumber(t, []byte(line+end))
		}
	}
}

// checkNumber compares the two readers of header lines.
func checkNumber(t testing.TB, p []byte) {
	t.Helper()
	want, wantN := number(p)
	var h header
	gotN := 0
	for i, c := range p {
		done, ok := h.step(c)
		if !ok {
			gotN = -1
			break
		}
		if done {
			gotN = i + 1
			break
		}
	}
	if gotN != wantN || gotN > 0 && h.num != want {
		t.Errorf("%q: got %d (%d bytes), want %d (%d bytes)", p, h.num, gotN, want, wantN)
	}
	if wantN > 0 && !bytes.HasSuffix(p[:wantN], []byte("\r\n")) {
		t.Errorf("%q: ended without CRLF", p)
	}
}
