package resp

import (
	"bytes"
	"fmt"
	"testing"
)

// FuzzRequest checks that the boundaries depend on the bytes only, that streaming agrees with scanning, and that Args
// sees the same requests. The seeds are in testdata.
func FuzzRequest(f *testing.F) {
	for _, row := range requestRows {
		if len(row.in) < 1000 {
			f.Add([]byte(row.in), uint64(1))
		}
	}
	f.Fuzz(func(t *testing.T, p []byte, seed uint64) {
		want := requestEvents(t, p, allAtOnce)
		for _, next := range []chunker{randomly(seed), twoParts(int(seed % 64)), twoParts(len(p) / 2)} {
			if got := requestEvents(t, p, next); fmt.Sprint(got) != fmt.Sprint(want) {
				t.Fatalf("%q:\ngot  %v\nwant %v", p, got, want)
			}
		}
		start := 0
		for _, e := range want {
			if e.verdict == Whole {
				checkWholeRequest(t, p[start:e.end], seed)
				start = e.end
			} else {
				start = e.end
			}
		}
		if len(p) > 0 {
			checkNumber(t, p[1:])
		}
	})
}

// checkWholeRequest compares Scan with Args and with Stream.
func checkWholeRequest(t *testing.T, frame []byte, seed uint64) {
	var r Request
	r.Scan(frame)
	args, ok := Args(frame, nil)
	if !ok || len(args) != r.Argc() {
		t.Fatalf("%q: got %d arguments (%v), want %d", frame, len(args), ok, r.Argc())
	}
	var sub []byte
	if len(args) > 1 {
		sub = args[1]
	}
	if got := Lookup(args[0], sub); got != r.Command() {
		t.Fatalf("%q: got %v, want %v", frame, got, r.Command())
	}
	r.Command().ClassOf(args)
	if r.Inline() {
		return
	}
	_, k := number(frame[1:])
	s := Request{argc: r.argc, left: r.argc, at: requestArgs}
	streamAll(t, &s, frame[1+k:], seed)
}

// streamAll checks that a frame which is streamed in pieces ends where it ends.
func streamAll(t *testing.T, s scanner, rest []byte, seed uint64) {
	next := randomly(seed)
	for {
		k := 0
		if len(rest) > 0 {
			k = next(len(rest))
		}
		n, skip, v := s.Stream(rest[:k])
		rest = rest[n:]
		if v == Whole && len(rest) == 0 {
			return
		}
		if v != More || n != k || skip > int64(len(rest)) {
			t.Fatalf("stream: got %v after %d of %d bytes, skip %d, %d left", v, n, k, skip, len(rest))
		}
		if k == 0 {
			t.Fatal("stream: did not end")
		}
		s.Skipped(skip)
		rest = rest[skip:]
	}
}

// FuzzReply is FuzzRequest for the other direction. A second reader, which is slow and recursive, must agree.
func FuzzReply(f *testing.F) {
	for _, row := range replyRows {
		if len(row.in) < 1000 {
			f.Add([]byte(row.in), uint64(1))
		}
	}
	f.Fuzz(func(t *testing.T, p []byte, seed uint64) {
		want := replyEvents(t, p, allAtOnce)
		for _, next := range []chunker{randomly(seed), twoParts(int(seed % 64)), twoParts(len(p) / 2)} {
			if got := replyEvents(t, p, next); fmt.Sprint(got) != fmt.Sprint(want) {
				t.Fatalf("%q:\ngot  %v\nwant %v", p, got, want)
			}
		}
		start := 0
		for _, e := range want {
			if e.verdict != Whole {
				break
			}
			frame := p[start:e.end]
			if n, ok := slowFrame(frame, true); !ok || n != len(frame) {
				t.Fatalf("%q: the slow reader got %d (%v), want %d", frame, n, ok, len(frame))
			}
			if n := Simple(p[start:]); n != 0 && n != len(frame) {
				t.Fatalf("%q: at a glance %d bytes, want %d", frame, n, len(frame))
			}
			Elements(frame, nil)
			streamAll(t, &Reply{left: 1, at: replyHead}, frame, seed)
			start = e.end
		}
		if _, ok := slowFrame(p[start:], true); ok {
			t.Fatalf("%q: the slow reader found another frame", p[start:])
		}
	})
}

// slowFrame is the obvious way to find the end of a frame: by recursion. A push is an element only at the top.
func slowFrame(p []byte, top bool) (n int, ok bool) {
	line, _, found := bytes.Cut(p, []byte("\n"))
	if !found || len(line) < 2 || line[len(line)-1] != '\r' {
		return 0, false
	}
	n = len(line) + 1
	if bytes.IndexByte([]byte("+-:,_#("), p[0]) >= 0 {
		return n, true
	}
	num, k := number(p[1:])
	if k != n-1 || num < -1 || num > int64(len(p)) || num == -1 && p[0] != '$' && p[0] != '*' {
		return 0, false
	}
	switch {
	case num == -1:
		return n, true
	case bytes.IndexByte([]byte("$=!"), p[0]) >= 0:
		end := n + int(num)
		return end + 2, end+2 <= len(p) && string(p[end:end+2]) == "\r\n"
	case p[0] == '%':
		num *= 2
	case p[0] == '|':
		num = 2*num + 1
	case p[0] != '*' && p[0] != '~' && p[0] != '>':
		return 0, false
	}
	for ; num > 0; num-- {
		top := top && p[0] == '|' && num == 1
		for isElement := false; !isElement; {
			if n >= len(p) {
				return 0, false
			}
			isElement = p[n] != '>' || top
			k, ok := slowFrame(p[n:], top)
			if !ok {
				return 0, false
			}
			n += k
		}
	}
	return n, true
}
