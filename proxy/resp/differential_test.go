package resp

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// TestServerAgrees sends raw bytes to a real server and compares: every request we call whole gets exactly one reply,
// nothing else gets any, and where the server refuses, it refuses at the same place with the same text. We may refuse
// what it accepts, never the other way round.
func TestServerAgrees(t *testing.T) {
	addr := realServer(t)
	for _, row := range requestRows {
		t.Run(row.name, func(t *testing.T) { compareWithServer(t, addr, []byte(row.in)) })
	}
}

// TestServerAgreesOnGenerated does the same for mutated pipelines. ECHO returns what the server took for its argument,
// which shows that both see the same boundaries and not only the same number of them.
func TestServerAgreesOnGenerated(t *testing.T) {
	const seed, rounds = 20240607, 3000
	addr := realServer(t)
	rnd := rand.New(rand.NewPCG(seed, 1))
	for i := range rounds {
		p := generate(rnd)
		if !compareWithServer(t, addr, p) {
			t.Fatalf("seed %d, round %d", seed, i)
		}
	}
}

// ownFaults are refusals of ours where the server goes on.
var ownFaults = []string{faultTexts[faultTail], faultTexts[faultInlineNul], ""}

func compareWithServer(t *testing.T, addr string, p []byte) bool {
	t.Helper()
	events := requestEvents(t, p, allAtOnce)
	replies := dialReal(t, addr).exchange(t, p)
	whole, start := 0, 0
	for _, e := range events {
		switch e.verdict {
		case Whole:
			if whole >= len(replies) {
				t.Errorf("%.300q: got %d replies, want one for the request that ends at %d", p, len(replies), e.end)
				return false
			}
			if !sameEcho(t, p[start:e.end], replies[whole]) {
				return false
			}
			whole++
		case Bad:
			return sameFault(t, p, e.what, replies[whole:])
		}
		start = e.end
	}
	if len(replies) != whole {
		t.Errorf("%.300q: got %d replies %.300q, want %d", p, len(replies), replies, whole)
		return false
	}
	return true
}

// sameEcho compares the argument of an ECHO with what came back.
func sameEcho(t *testing.T, frame []byte, reply any) bool {
	t.Helper()
	args, ok := Args(frame, nil)
	if !ok {
		t.Errorf("%.300q: is no request", frame)
		return false
	}
	if !strings.EqualFold(string(args[0]), "echo") || len(args) != 2 {
		return true
	}
	if got, want := reply, any(string(args[1])); got != want {
		t.Errorf("%.300q: got %.300q, want %.300q", frame, got, want)
		return false
	}
	return true
}

// sameFault compares refusals. Without a reply the server waits for more, or closed silently, as we do.
func sameFault(t *testing.T, p []byte, fault string, replies []any) bool {
	t.Helper()
	for _, own := range ownFaults {
		if fault == own {
			return true
		}
	}
	for _, r := range replies {
		if text, ok := r.(realError); ok && strings.Contains(string(text), "Protocol error") && string(text) != fault {
			if strings.Contains(string(text), "too big") && strings.Contains(fault, "invalid") {
				continue // the server looks for the end of such a line first
			}
			if laxer(p) {
				continue
			}
			t.Errorf("%.300q: got %q, want %q", p, fault, text)
			return false
		}
	}
	return true
}

// laxer says that the server may have passed over the place where we stopped: it lets any byte follow a carriage
// return, and it has no limit on the number of arguments.
func laxer(p []byte) bool {
	s := string(p)
	return strings.Count(s, "\r") != strings.Count(s, "\r\n") || strings.Contains(s, "*1048577") || strings.Contains(s, "*2147483647")
}

// generate makes a pipeline of requests, and damages some.
func generate(rnd *rand.Rand) []byte {
	var p []byte
	for range 1 + rnd.IntN(5) {
		body := pieces[rnd.IntN(len(pieces))] + pieces[rnd.IntN(len(pieces))]
		switch rnd.IntN(6) {
		case 0:
			p = append(p, "*0\r\n"...)
		case 1:
			p = fmt.Appendf(p, "ECHO %q\r\n", strings.Map(asciiOnly, body))
		case 2:
			p = fmt.Appendf(p, "  echo\tx%dy  \n", rnd.IntN(1000))
		default:
			p = fmt.Appendf(p, "*2\r\n$4\r\nECHO\r\n$%d\r\n%s\r\n", len(body), body)
		}
	}
	for range rnd.IntN(3) {
		i := rnd.IntN(len(p))
		switch rnd.IntN(3) {
		case 0:
			p[i] = alphabet[rnd.IntN(len(alphabet))]
		case 1:
			p = append(p[:i], p[i+1:]...)
		case 2:
			p = append(p[:i], append([]byte{alphabet[rnd.IntN(len(alphabet))]}, p[i:]...)...)
		}
		if len(p) == 0 {
			return []byte("\r\n")
		}
	}
	return p
}

// asciiOnly keeps what the quoting of Go and of the server have in common.
func asciiOnly(r rune) rune {
	if r < 0x20 || r > 0x7e {
		return -1
	}
	return r
}

const alphabet = "\r\n*$0123456789-+: \"'\\xPINGE\t%:"

var pieces = []string{
	"", "a", "\r\n", "*1\r\n$4\r\nPING\r\n", "$-1\r\n", "\"", "'", "\\x41", "long " + strings.Repeat("x", 300), "PING\r\n", " \t",
}
