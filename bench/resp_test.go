package bench

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
)

func TestReadReply(t *testing.T) {
	tests := []struct{ in, want string }{
		{"+OK\r\n", "+OK"},
		{"-ERR no\r\n", "-ERR no"},
		{":-12\r\n", "-12"},
		{"$5\r\na\r\nbc\r\n", `"a\r\nbc"`},
		{"$0\r\n\r\n", `""`},
		{"$-1\r\n", "nil"},
		{"*-1\r\n", "nil"},
		{"*2\r\n:1\r\n*1\r\n$1\r\nx\r\n", `[1 ["x"]]`},
	}
	for _, tt := range tests {
		got, err := readReply(bufio.NewReader(strings.NewReader(tt.in)))
		if err != nil || got.String() != tt.want {
			t.Errorf("readReply(%q): got %s, %v, want %s", tt.in, got, err, tt.want)
		}
	}
}

func TestReadReplyRefusesWhatIsNoReply(t *testing.T) {
	for _, in := range []string{"OK\r\n", "+\n", "\r\n", ":x\r\n", "$3\r\nabcde", "$-2\r\n", "*99999999999\r\n", "%1\r\n", ">1\r\n",
		strings.Repeat("*1\r\n", 20)} {
		if got, err := readReply(bufio.NewReader(strings.NewReader(in))); !errors.Is(err, errFraming) {
			t.Errorf("readReply(%q): got %s, %v, want %v", in, got, err, errFraming)
		}
	}
	if _, err := readReply(bufio.NewReader(strings.NewReader("$5\r\nab"))); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("half a bulk: got %v, want %v", err, io.ErrUnexpectedEOF)
	}
}

func FuzzReadReply(f *testing.F) {
	for _, seed := range []string{"+OK\r\n", "*2\r\n:1\r\n$1\r\nx\r\n", "$-1\r\n", "*1\r\n*1\r\n-E\r\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		first, err := readReply(bufio.NewReader(bytes.NewReader(data)))
		if err != nil {
			return
		}
		again, err := readReply(bufio.NewReader(bytes.NewReader(appendReply(nil, first))))
		if err != nil || again.String() != first.String() {
			t.Errorf("%q: got %s, %v after another round, want %s", data, again, err, first)
		}
	})
}

func TestRequestsAreArraysOfBulks(t *testing.T) {
	got, want := string(appendRequest(nil, "SET", "k", "")), "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$0\r\n\r\n"
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
