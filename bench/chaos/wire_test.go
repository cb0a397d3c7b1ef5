package chaos

import (
	"bufio"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

func wireOf(text string) *wire { return &wire{r: bufio.NewReader(strings.NewReader(text))} }

func TestRepliesOfBothProtocols(t *testing.T) {
	for text, want := range map[string]string{
		"+OK\r\n": "+OK", "-ERR no\r\n": "-ERR no", ":-7\r\n": "-7", "$3\r\na\r\n\r\n": `"a\r\n"`,
		"$-1\r\n": "nil", "*-1\r\n": "nil", "_\r\n": "nil", "*0\r\n": "*[]", "*2\r\n:1\r\n$0\r\n\r\n": `*[1 ""]`,
		"%1\r\n+k\r\n:2\r\n": "%[+k 2]", "~1\r\n#t\r\n": "~[#t]", ",1.5\r\n": ",1.5", "(99\r\n": "(99", "=5\r\ntxt:a\r\n": "=txt:a",
		"|1\r\n+a\r\n+b\r\n:3\r\n": "3",
	} {
		v, err := wireOf(text).read()
		if err != nil || v.String() != want {
			t.Errorf("%q: got %s, %v, want %s", text, v, err, want)
		}
	}
}

func TestBrokenFramingIsAnError(t *testing.T) {
	for _, text := range []string{"hello\r\n", ":x\r\n", "$2\r\nabc\r\n", strings.Repeat("*1\r\n", 9) + ":1\r\n", "+OK\n",
		"$99999999999\r\n", "$-2\r\n"} {
		if _, err := wireOf(text).read(); !errors.Is(err, errFraming) {
			t.Errorf("%q: got %v, want %v", text, err, errFraming)
		}
	}
	if _, err := wireOf("$5\r\nab").read(); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %v for half a reply", err)
	}
}

func TestPushesComeBetweenReplies(t *testing.T) {
	w := wireOf(">2\r\n+invalidate\r\n*1\r\n$1\r\nk\r\n:1\r\n>2\r\n+invalidate\r\n_\r\n:2\r\n")
	var pushed []string
	w.pushed = func(v value) { pushed = append(pushed, v.String()) }
	for _, want := range []int64{1, 2} {
		if v, err := w.read(); err != nil || v.num != want {
			t.Errorf("got %s, %v, want %d", v, err, want)
		}
	}
	if len(pushed) != 2 {
		t.Errorf("got %v, want two pushes", pushed)
	}
}

// TestWaitingTakesNothing: a deadline must never tear a frame.
func TestWaitingTakesNothing(t *testing.T) {
	server, client := net.Pipe()
	defer server.Close()
	w := newWire(client)
	defer w.Close()
	if some, err := w.waiting(5 * time.Millisecond); some || err != nil {
		t.Errorf("got %v, %v from silence", some, err)
	}
	done := make(chan error, 1)
	go say(server, "+OK\r\n", done) // awaited below
	if some, err := w.waiting(time.Second); !some || err != nil {
		t.Errorf("got %v, %v, want a byte", some, err)
	}
	if err := w.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	if v, err := w.read(); err != nil || v.text != "OK" {
		t.Errorf("got %s, %v, want the whole reply", v, err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func say(c net.Conn, text string, done chan<- error) {
	_, err := io.WriteString(c, text)
	done <- err
}
