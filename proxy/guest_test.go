package proxy

import (
	"io"
	"regexp"
	"strings"
	"testing"
	"time"
)

const guestPassword = "secret"

// guestRows are what a client that has not given the password sends first. The server's answer is the right one.
var guestRows = []struct{ name, raw string }{
	{"ten arguments", "*10\r\n$3\r\nDEL\r\n" + nine("$1\r\nk\r\n")},
	{"eleven arguments", "*11\r\n$4\r\nMSET\r\n"},
	{"a million arguments", "*1048576\r\n$536870912\r\n"},
	{"argument of the limit", "*2\r\n$4\r\nECHO\r\n$16384\r\n" + repeat("x", 16384) + "\r\n"},
	{"argument beyond the limit", "*2\r\n$4\r\nECHO\r\n$16385\r\n"},
	{"large in all, small in each", "*10\r\n$3\r\nDEL\r\n" + nine("$16384\r\n"+repeat("x", 16384)+"\r\n")},
	{"too large behind large ones", "*10\r\n$3\r\nDEL\r\n" + repeat("$16384\r\n"+repeat("x", 16384)+"\r\n", 8) + "$16385\r\n"},
	{"long line", "PING " + repeat("x", 20000) + "\r\n"},
	{"line of many words", "MGET" + repeat(" k", 30) + "\r\n"},
	{"no login", request("GET", "k")},
	{"wrong login, then too many", request("AUTH", "wrong") + "*11\r\n$4\r\nMGET\r\n"},
	{"login, then many", request("AUTH", guestPassword) + request("MGET", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11")},
	{"login, then large", request("AUTH", guestPassword) + request("ECHO", repeat("y", 20000))},
	{"login by HELLO, then large",
		request("HELLO", "2", "AUTH", "default", guestPassword, "SETNAME", "x") + request("STRLEN", repeat("y", 70000))},
	{"login and RESET, then large", request("AUTH", guestPassword) + request("RESET") + "*2\r\n$4\r\nECHO\r\n$20000\r\n"},
	{"negative length", "*2\r\n$4\r\nECHO\r\n$-1\r\n"},
	{"length beyond any", "*2\r\n$4\r\nECHO\r\n$536870913\r\n"},
}

// clientID is in the answer to HELLO, and differs for each connection.
var clientID = regexp.MustCompile(`\$2\r\nid\r\n:[0-9]+`)

func nine(s string) string { return repeat(s, 9) }

// says sends raw and returns all that comes back until the other side ends the connection, or answers the PING behind it.
// What has not ended within silence waits for more.
func says(t *testing.T, addr, raw string, silence time.Duration) string {
	t.Helper()
	c := dialClient(t, addr)
	defer c.close()
	c.send(raw)
	_ = c.nc.SetReadDeadline(time.Now().Add(silence))
	got, err := io.ReadAll(c.br)
	state := " and ends"
	if err != nil {
		state = " and waits"
	}
	return clientID.ReplaceAllString(string(got), "id") + state
}

// TestGuestsHearWhatTheServerSays compares every row with the same bytes sent to the server itself, on a proxy whose loops
// have not met a guest yet, and again when they have.
func TestGuestsHearWhatTheServerSays(t *testing.T) {
	s := startRedis(t, "--requirepass", guestPassword)
	for _, row := range guestRows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			r := startProxy(t, nil, s)
			r.Publish(open(1, 0, s.lineageWith(guestPassword)))
			const silence, patience = 200 * time.Millisecond, 5 * time.Second
			want := says(t, s.addr, row.raw, silence)
			for _, when := range []string{"first", "again"} {
				got := says(t, r.addr, row.raw, silence)
				if got != want { // a busy machine may need longer, and a longer wait only shows more
					want, got = says(t, s.addr, row.raw, patience), says(t, r.addr, row.raw, patience)
				}
				if got != want {
					t.Errorf("%s: got %.200q, want %.200q", when, got, want)
				}
			}
			if n := len(r.evidence); n != 0 {
				t.Errorf("the guest made the server look ill: %v", <-r.evidence)
			}
		})
	}
}

// What one master asks for says nothing about the next.
func TestGuardIsForgottenWithItsMaster(t *testing.T) {
	a, b := startRedis(t, "--requirepass", guestPassword), startRedis(t)
	r := startProxy(t, nil, a, b)
	r.Publish(open(1, 0, a.lineageWith(guestPassword)))
	many := []string{"MGET", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"}
	for range 2 { // on both loops
		dialClient(t, r.addr).want("-NOAUTH Authentication required.", "GET", "k")
	}
	dialClient(t, r.addr).want("-ERR Protocol error: unauthenticated multibulk length", many...)
	r.Publish(open(2, 1, b.lineage()))
	for range 2 {
		dialClient(t, r.addr).want("*["+strings.TrimSpace(strings.Repeat("nil ", 11))+"]", many...)
	}
}

// A server without a password has no guests.
func TestOpenServersHaveNoGuests(t *testing.T) {
	s := startRedis(t)
	r := startProxy(t, nil, s)
	r.Publish(open(1, 0, s.lineage()))
	c := dialClient(t, r.addr)
	c.want("*[nil nil nil nil nil nil nil nil nil nil nil]", "MGET", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11")
	c.want(repeat("x", 20000), "ECHO", repeat("x", 20000))
}
