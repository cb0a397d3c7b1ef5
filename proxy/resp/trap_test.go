package resp

import (
	"fmt"
	"strings"
	"testing"
)

const (
	subA3 = "*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n"
	subA  = ">3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n"
	push  = ">3\r\n$7\r\nmessage\r\n$2\r\nch\r\n$2\r\nhi\r\n"
)

// replyRows are replies and traps with their bytes. "whole 5 +" is a frame of type '+' that ends at byte 5.
var replyRows = []struct{ name, in, want string }{
	{"simple string", "+OK\r\n", "whole 5 +"},
	{"error", "-ERR no\r\n", "whole 9 -"},
	{"integer", ":12\r\n", "whole 5 :"},
	{"double", ",1.5\r\n", "whole 6 ,"},
	{"null", "_\r\n", "whole 3 _"},
	{"boolean", "#t\r\n", "whole 4 #"},
	{"big number", "(123\r\n", "whole 6 ("},
	{"string", "$3\r\nabc\r\n+OK\r\n", "whole 9 $; whole 14 +"},
	{"null string", "$-1\r\n", "whole 5 $"},
	{"verbatim", "=7\r\ntxt:abc\r\n", "whole 13 ="},
	{"blob error", "!3\r\nERR\r\n", "whole 9 !"},
	{"array", "*2\r\n$1\r\na\r\n:1\r\n", "whole 15 *"},
	{"empty array", "*0\r\n", "whole 4 *"},
	{"null array", "*-1\r\n+OK\r\n", "whole 5 *; whole 10 +"},
	{"set", "~2\r\n:1\r\n:2\r\n", "whole 12 ~"},
	{"map", "%1\r\n+k\r\n:1\r\n", "whole 12 %"},
	{"empty map", "%0\r\n", "whole 4 %"},
	{"nested nulls", "*3\r\n*-1\r\n$-1\r\n*0\r\n", "whole 18 *"},
	{"lone carriage return in a line", "+a\rb\r\n", "whole 6 +"},

	{"attribute before the reply", "|1\r\n+ttl\r\n:3600\r\n$1\r\nx\r\n", "whole 24 $"},
	{"attribute with aggregates", "|1\r\n+k\r\n*2\r\n:1\r\n:2\r\n*1\r\n:1\r\n", "whole 28 *"},
	{"attribute in an attribute", "|1\r\n|1\r\n+a\r\n+b\r\n+k\r\n+v\r\n:1\r\n", "whole 28 :"},
	{"empty attribute", "|0\r\n:1\r\n", "whole 8 :"},
	{"attribute inside an array", "*2\r\n|1\r\n+a\r\n+b\r\n:1\r\n:2\r\n", "whole 24 *"},

	{"push", push + "+OK\r\n", "whole 33 >; whole 38 +"},
	{"empty push", ">0\r\n+OK\r\n", "whole 4 >; whole 9 +"},
	{"trap 5: own message inside EXEC", "*2\r\n" + push + ":1\r\n_\r\n+OK\r\n", "whole 44 *; whole 49 +"},
	{"trap 5: own message before the reply", push + ":1\r\n", "whole 33 >; whole 37 :"},
	{"trap 5: push deep inside", "*1\r\n*2\r\n" + push + ":1\r\n:2\r\n+OK\r\n", "whole 49 *; whole 54 +"},
	{"trap 6: invalidation behind EXEC", "*1\r\n+OK\r\n>2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n", "whole 9 *; whole 41 >"},
	{"trap 7: redirected invalidation", "*3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n*1\r\n$1\r\nk\r\n", "whole 55 *"},
	{"trap 7: redirected flush", "*3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n*-1\r\n", "whole 49 *"},
	{"trap 8: timeout", "*-1\r\n", "whole 5 *"},
	{"trap 8: timeout in RESP3", "_\r\n", "whole 3 _"},
	{"trap 9: MONITOR in MULTI", "*1\r\n-ERR MONITOR isn't allowed for DENY BLOCKING client\r\n", "whole 57 *"},
	{"trap 10: empty string", "$0\r\n\r\n", "whole 6 $"},
	{"trap 10: content looks like a request", "$18\r\n\r\n*1\r\n$4\r\nPING\r\n\r\n\r\n", "whole 25 $"},
	{"trap 10: depth 7", strings.Repeat("*1\r\n", 7) + ":1\r\n", "whole 32 *"},
	{"trap 10: depth 10000", strings.Repeat("*1\r\n", 10000) + ":1\r\n", "whole 40004 *"},
	{"trap 10: depth 100000", strings.Repeat("*1\r\n", 100000) + ":1\r\n", "whole 400004 *"},
	{"trap 10: many strings", "*100000\r\n" + strings.Repeat("$1\r\nx\r\n", 100000), "whole 700009 *"},
	{"large string", "$100000\r\n" + strings.Repeat("x", 100000) + "\r\n+OK\r\n", "whole 100011 $; whole 100016 +"},
	{"large string in an array", "*2\r\n$100000\r\n" + strings.Repeat("x", 100000) + "\r\n+OK\r\n", "whole 100020 *"},
	{"just whole", "$65526\r\n" + strings.Repeat("x", 65526) + "\r\n", "whole 65536 $"},
	{"just big", "$65527\r\n" + strings.Repeat("x", 65527) + "\r\n", "whole 65537 $"},
	{"large error", "-" + strings.Repeat("e", 100000) + "\r\n+OK\r\n", "whole 100003 -; whole 100008 +"},
	{"line just whole", "-" + strings.Repeat("e", WholeMax-3) + "\r\n", "whole 65536 -"},
	{"line just big", "-" + strings.Repeat("e", WholeMax-2) + "\r\n", "whole 65537 -"},
	{"header across the limit", "*2\r\n$65516\r\n" + strings.Repeat("x", 65516) + "\r\n$100000\r\n" + strings.Repeat("x", 100000) + "\r\n",
		"whole 165541 *"},
	{"large attribute", "|1\r\n+k\r\n$100000\r\n" + strings.Repeat("x", 100000) + "\r\n:1\r\n", "whole 100023 :"},
	{"large push", ">2\r\n+message\r\n$100000\r\n" + strings.Repeat("x", 100000) + "\r\n:1\r\n", "whole 100025 >; whole 100029 :"},

	{"unfinished", "*2\r\n:1\r\n", ""},
	{"streamed string", "$?\r\n;4\r\nabcd\r\n;0\r\n", "bad 0 invalid length"},
	{"streamed array", "*?\r\n", "bad 0 invalid length"},
	{"chunk", ";4\r\n", "bad 0 unknown type byte"},
	{"end of a stream", ".\r\n", "bad 0 unknown type byte"},
	{"no type byte", "*1\r\nx\r\n", "bad 0 unknown type byte"},
	{"negative length", "$-2\r\n", "bad 0 invalid length"},
	{"negative count", "*-2\r\n", "bad 0 invalid length"},
	{"null map", "%-1\r\n", "bad 0 invalid length"},
	{"null verbatim", "=-1\r\n", "bad 0 invalid length"},
	{"zero before length", "$03\r\nabc\r\n", "bad 0 invalid length"},
	{"string too long", "$1099511627777\r\n", "bad 0 invalid length"},
	{"count too high", "*1099511627777\r\n", "bad 0 invalid length"},
	{"sum of counts too high", strings.Repeat("%1099511627776\r\n", 3), "bad 0 too many elements"},
	{"line feed only", "+OK\n", "bad 0 line feed without carriage return"},
	{"empty with line feed only", "+\n", "bad 0 line feed without carriage return"},
	{"string without line end", "$2\r\nabcd", "bad 0 string is not followed by CRLF"},
	{"large string without line end", "$100000\r\n" + strings.Repeat("x", 100002), "bad 0 string is not followed by CRLF"},
	{"large line with line feed only", "-" + strings.Repeat("e", 100000) + "\n", "bad 0 line feed without carriage return"},
	{"snapshot after SYNC", "+FULLRESYNC x 1\r\n$4\r\nRDB!*1\r\n", "whole 17 +; bad 17 string is not followed by CRLF"},
}

func showReply(e event) string { return fmt.Sprint(e.verdict, " ", e.end, " ", e.what) }

func TestReplyRows(t *testing.T) {
	for _, row := range replyRows {
		t.Run(row.name, func(t *testing.T) {
			var got []string
			for _, e := range sameHowever(t, replyEvents, []byte(row.in)) {
				got = append(got, showReply(e))
			}
			if got := strings.Join(got, "; "); got != row.want {
				t.Errorf("got  %q\nwant %q", got, row.want)
			}
		})
	}
}

// expectRows are the replies of EXEC whose header does not tell how many frames follow.
var expectRows = []struct {
	name  string
	extra int64
	in    string
	want  string
}{
	{"trap 1: CLIENT REPLY OFF in MULTI", -2, "*2\r\n+OK\r\n", "whole 4 *; whole 9 +"},
	{"trap 2: CLIENT REPLY SKIP in MULTI", -1, "*3\r\n+OK\r\n:1\r\n+PONG\r\n", "whole 13 *; whole 20 +"},
	{"trap 3: SUBSCRIBE a b c in MULTI", 2, "*2\r\n" + subA3 + subA3 + subA3 + "+OK\r\n+NEXT\r\n", "whole 99 *; whole 106 +"},
	{"trap 3: the same in RESP3", -1, "*2\r\n" + subA + subA + subA + "+OK\r\n+NEXT\r\n", "whole 99 *; whole 106 +"},
	{"trap 3: message between the confirmations", -1, "*2\r\n" + subA + push + "+OK\r\n", "whole 72 *"},
	{"aborted", 2, "-EXECABORT no\r\n+OK\r\n", "whole 15 -; whole 20 +"},
	{"watched key changed", 2, "*-1\r\n+OK\r\n", "whole 5 *; whole 10 +"},
	{"watched key changed in RESP3", 2, "_\r\n+OK\r\n", "whole 3 _; whole 8 +"},
	{"spent", 1, "*0\r\n:1\r\n*1\r\n:1\r\n:2\r\n", "whole 8 *; whole 16 *; whole 20 :"},
	{"push before the reply", 1, push + "*1\r\n:1\r\n:2\r\n:3\r\n", "whole 33 >; whole 45 *; whole 49 :"},
	{"attribute before the reply", 1, "|1\r\n+a\r\n*0\r\n*1\r\n:1\r\n:2\r\n:3\r\n", "whole 24 *; whole 28 :"},
}

func TestReplyExpect(t *testing.T) {
	for _, row := range expectRows {
		t.Run(row.name, func(t *testing.T) {
			events := func(t testing.TB, p []byte, next chunker) []event {
				var r Reply
				r.Expect(row.extra)
				return boundaries(t, &r, func() string { return string(r.First()) }, p, next)
			}
			var got []string
			for _, e := range sameHowever(t, events, []byte(row.in)) {
				got = append(got, showReply(e))
			}
			if got := strings.Join(got, "; "); got != row.want {
				t.Errorf("got  %q\nwant %q", got, row.want)
			}
		})
	}
}

func TestReplyBigOffersToSkip(t *testing.T) {
	var r Reply
	n, v := r.Scan([]byte("$1000000\r\nabc"))
	if v != Big || n != 10 || r.First() != '$' {
		t.Fatalf("got %v %d %q, want big 10 '$'", v, n, r.First())
	}
	n, skip, v := r.Stream([]byte("abc"))
	if n != 3 || skip != 999999 || v != More {
		t.Fatalf("got %d %d %v, want 3 999999 more", n, skip, v)
	}
	unskipped := r
	r.Skipped(skip)
	if n, skip, v = r.Stream(nil); n != 0 || skip != 0 || v != Whole {
		t.Fatalf("line end skipped: got %d %d %v, want 0 0 whole", n, skip, v)
	}
	r = unskipped
	r.Skipped(999998)
	if n, skip, v = r.Stream([]byte("\n+OK\r\n")); n != 1 || skip != 0 || v != Whole {
		t.Fatalf("line end cut in two: got %d %d %v, want 1 0 whole", n, skip, v)
	}
	r.Expect(1)
	if n, v = r.Scan([]byte("*0\r\n:1\r\n")); n != 8 || v != Whole {
		t.Fatalf("got %d %v, want 8 whole", n, v)
	}
}
