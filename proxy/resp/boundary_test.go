package resp

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// event is one boundary as a caller sees it: a frame that ended, or the error that ends everything.
type event struct {
	verdict Verdict
	end     int
	what    string
}

// chunker says how many of the rest bytes arrive next: at least 1.
type chunker func(rest int) int

func allAtOnce(rest int) int { return rest }
func oneByOne(int) int       { return 1 }

// twoParts delivers the first k bytes and then the rest.
func twoParts(k int) chunker {
	return func(rest int) int {
		if k > 0 && k < rest {
			rest, k = k, 0
		}
		return rest
	}
}

func randomly(seed uint64) chunker {
	rnd := rand.New(rand.NewPCG(seed, 1))
	return func(rest int) int { return 1 + rnd.IntN(min(rest, 1<<rnd.IntN(17))) }
}

// scanner is what Request and Reply have in common.
type scanner interface {
	Scan(p []byte) (int, Verdict)
	Stream(p []byte) (int, int64, Verdict)
	Skipped(k int64)
	Fault() string
}

// boundaries plays the caller: it keeps a frame from its start while it is scanned, hands over only what is new while
// it is streamed, and lets skipped bytes pass unseen.
func boundaries(t testing.TB, s scanner, what func() string, p []byte, next chunker) []event {
	t.Helper()
	var events []event
	start, at, have, streaming := 0, 0, 0, false
	for {
		var n int
		var skip int64
		var v Verdict
		if !streaming {
			n, v = s.Scan(p[start:have])
			at = start + n
			checkScan(t, n, v, have-start)
		} else {
			n, skip, v = s.Stream(p[at:have])
			at += n
			checkStream(t, n, v, have-at, at-start)
		}
		switch v {
		case Big:
			streaming = true
			continue
		case Bad:
			return append(events, event{Bad, start, s.Fault()})
		case Whole, Blank:
			events = append(events, event{v, at, what()})
			start, streaming = at, false
			if start < have {
				continue
			}
		}
		if have == len(p) {
			return events
		}
		k := next(len(p) - have)
		if have += k; skip > 0 {
			k = min(k, unseen(p[at:], int(skip)))
			s.Skipped(int64(k))
			at += k
		}
	}
}

// unseen is how much of what may be skipped is skipped here: a line end that is none is looked at, so that its fault is found
// however the bytes arrive.
func unseen(rest []byte, skip int) int {
	if end := rest[min(len(rest), skip-lineEnd):min(len(rest), skip)]; !strings.HasPrefix("\r\n", string(end)) {
		return skip - lineEnd
	}
	return skip
}

func checkScan(t testing.TB, n int, v Verdict, given int) {
	t.Helper()
	switch {
	case n < 0 || n > given:
		t.Fatalf("%v: got n %d of %d bytes", v, n, given)
	case v == Whole && (n == 0 || n > WholeMax):
		t.Fatalf("whole: got %d bytes, want 1 to %d", n, WholeMax)
	case v == Blank && n == 0:
		t.Fatal("blank: got 0 bytes")
	case v == More && given >= WholeMax:
		t.Fatalf("more: got %d bytes and no verdict", given)
	}
}

func checkStream(t testing.TB, n int, v Verdict, rest, size int) {
	t.Helper()
	switch {
	case n < 0 || rest < 0:
		t.Fatalf("%v: got n %d with %d bytes left", v, n, rest)
	case v == More && rest != 0:
		t.Fatalf("more: got %d bytes left over", rest)
	case v == Whole && size <= WholeMax:
		t.Fatalf("streamed a frame of %d bytes, want more than %d", size, WholeMax)
	}
}

func requestEvents(t testing.TB, p []byte, next chunker) []event {
	t.Helper()
	var r Request
	what := func() string { return fmt.Sprint(r.Command(), " ", r.Argc(), " ", r.Inline()) }
	return boundaries(t, &r, what, p, next)
}

func replyEvents(t testing.TB, p []byte, next chunker) []event {
	t.Helper()
	var r Reply
	what := func() string { return string(r.First()) }
	return boundaries(t, &r, what, p, next)
}

// sameHowever checks that the boundaries do not depend on the reads, and returns them.
func sameHowever(t testing.TB, events func(testing.TB, []byte, chunker) []event, p []byte) []event {
	t.Helper()
	want := events(t, p, allAtOnce)
	compare := func(how string, got []event) {
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("%.200q %s:\ngot  %v\nwant %v", p, how, got, want)
		}
	}
	if len(p) < 4096 {
		compare("byte by byte", events(t, p, oneByOne))
		for k := 1; k < len(p); k++ {
			compare(fmt.Sprint("cut at ", k), events(t, p, twoParts(k)))
		}
	}
	for _, k := range []int{WholeMax - 1, WholeMax, WholeMax + 1} {
		if len(p) > k {
			compare(fmt.Sprint("cut at ", k), events(t, p, twoParts(k)))
		}
	}
	for seed := range uint64(8) {
		compare(fmt.Sprint("cut by seed ", seed), events(t, p, randomly(seed)))
	}
	return want
}
