package resp

import (
	"strings"
	"testing"
)

// Requests and replies as an ordinary client library makes them.
var (
	benchGet   = []byte("*2\r\n$3\r\nGET\r\n$74\r\n" + strings.Repeat("k", 74) + "\r\n")
	benchSet   = []byte("*3\r\n$3\r\nSET\r\n$10\r\nkey:000001\r\n$53\r\n" + strings.Repeat("v", 53) + "\r\n")
	benchValue = []byte("$100\r\n" + strings.Repeat("v", 100) + "\r\n")
	benchOK    = []byte("+OK\r\n")
	benchList  = []byte("*1000\r\n" + strings.Repeat("$8\r\nabcdefgh\r\n", 1000))
)

func benchRequest(b *testing.B, p []byte) {
	var r Request
	b.ReportAllocs()
	for b.Loop() {
		if n, v := r.Scan(p); v != Whole || n != len(p) || r.Command() == Unknown {
			b.Fatal(n, v)
		}
	}
}

func benchReply(b *testing.B, p []byte) {
	var r Reply
	b.ReportAllocs()
	for b.Loop() {
		if n, v := r.Scan(p); v != Whole || n != len(p) {
			b.Fatal(n, v)
		}
	}
}

func BenchmarkRequestGet(b *testing.B)  { benchRequest(b, benchGet) }
func BenchmarkRequestSet(b *testing.B)  { benchRequest(b, benchSet) }
func BenchmarkRequestLine(b *testing.B) { benchRequest(b, []byte("SET key value\r\n")) }
func BenchmarkReplyValue(b *testing.B)  { benchReply(b, benchValue) }
func BenchmarkReplyOK(b *testing.B)     { benchReply(b, benchOK) }
func BenchmarkReplyList(b *testing.B)   { benchReply(b, benchList) }

func BenchmarkLookup(b *testing.B) {
	name, sub := []byte("CLIENT"), []byte("SETNAME")
	b.ReportAllocs()
	for b.Loop() {
		if Lookup(name, sub) != CmdClientSetname {
			b.Fatal("not found")
		}
	}
}

func BenchmarkReplyStreamList(b *testing.B) {
	big := []byte("*100000\r\n" + strings.Repeat("$8\r\nabcdefgh\r\n", 100000))
	b.SetBytes(int64(len(big)))
	b.ReportAllocs()
	for b.Loop() {
		var r Reply
		n, v := r.Scan(big)
		if v != Big {
			b.Fatal(v)
		}
		if _, _, v = r.Stream(big[n:]); v != Whole {
			b.Fatal(v)
		}
	}
}

func TestScanAllocatesNothing(t *testing.T) {
	var q Request
	var r Reply
	message := []byte(">3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$2\r\nhi\r\n")
	dst := make([][]byte, 0, 8)
	checks := map[string]func(){
		"get":      func() { q.Scan(benchGet) },
		"line":     func() { q.Scan([]byte("\"GET\" 'key'\r\n")) },
		"partial":  func() { q.Scan(benchSet[:40]); q.Scan(benchSet) },
		"value":    func() { r.Scan(benchValue) },
		"list":     func() { r.Scan(benchList) },
		"lookup":   func() { Lookup([]byte("config"), []byte("get")) },
		"args":     func() { dst, _ = Args(benchSet, dst[:0]) },
		"elements": func() { dst, _ = Elements(message, dst[:0]) },
	}
	for name, f := range checks {
		if got := testing.AllocsPerRun(100, f); got != 0 {
			t.Errorf("%s: got %v allocations, want 0", name, got)
		}
	}
}
