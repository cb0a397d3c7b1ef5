package proxy

import (
	"strings"
	"testing"
)

// invalidates has the reader cache a key, changes it behind its back, and wants the receiver to hear of it.
func invalidates(reader, receiver *client, s *redisServer, value string) {
	receiver.t.Helper()
	reader.do("GET", "k")
	s.do("SET", "k", value)
	if got := receiver.beyond(); got != ">[invalidate *[k]]" && got != "*[message __redis__:invalidate *[k]]" {
		receiver.t.Fatalf("got %q", got)
	}
}

// redirected is a reader whose invalidations go to a receiver.
func redirected(t *testing.T, r *rig, proto string) (reader, receiver *client) {
	t.Helper()
	reader, receiver = dialClient(t, r.addr), dialClient(t, r.addr)
	id := idOf(t, receiver)
	if proto == "3" {
		receiver.do("HELLO", "3")
	} else {
		receiver.want("*[subscribe __redis__:invalidate :1]", "SUBSCRIBE", "__redis__:invalidate")
	}
	reader.want("+OK", "CLIENT", "TRACKING", "ON", "REDIRECT", id)
	return reader, receiver
}

// A receiver that speaks RESP3 needs no subscription, and asks for nothing: it is moved all the same.
func TestSilentReceiverMoves(t *testing.T) {
	r, a, b := pair(t, nil)
	reader, receiver := redirected(t, r, "3")
	invalidates(reader, receiver, a, "1")
	eventually(t, "the replica has it", func() bool { return b.do("GET", "k") == "1" })
	a.kill()
	r.failOver(2, 1, b)
	reader.want("1", "GET", "k")
	invalidates(reader, receiver, b, "2")
	if n := r.stats().Clients; n != 2 {
		t.Errorf("got %d clients, want 2", n)
	}
}

// A server ends the connection of the receiver alone. It knows that no more by its number, so that the reader has to name
// the new one: without that nobody is told of anything, for good.
func TestReceiverAloneLosesItsConnection(t *testing.T) {
	for _, proto := range []string{"2", "3"} {
		r, a, _ := pair(t, nil)
		r.confirm()
		reader, receiver := redirected(t, r, proto)
		invalidates(reader, receiver, a, "1")
		reader.want("1", "GET", "k")
		before := a.serverID(proto == "2")
		if got := a.do("CLIENT", "KILL", "ID", before); got != ":1" {
			t.Fatalf("kill: got %q", got)
		}
		receiver.forgets(1)
		eventually(t, "the receiver is there again, and the reader knows", func() bool {
			now := a.serverID(proto == "2")
			return now != "" && now != before && strings.Contains(a.do("CLIENT", "LIST"), " redir="+now+" ")
		})
		invalidates(reader, receiver, a, "2")
		if n := r.stats().Clients; n != 2 {
			t.Errorf("got %d clients, want 2", n)
		}
	}
}

// serverID is what the server calls the receiver: the one that has a subscription, or the one that speaks RESP3.
func (s *redisServer) serverID(subscribed bool) string {
	for _, line := range strings.Split(s.do("CLIENT", "LIST"), "\n") {
		if subscribed && strings.Contains(line, " sub=1 ") || !subscribed && strings.HasSuffix(line, " resp=3") {
			id, _, _ := strings.Cut(strings.TrimPrefix(line, "id="), " ")
			return id
		}
	}
	return ""
}

// A sender waits for its receiver while it dials. More of them than may dial at a time must not keep the receiver from it.
func TestReceiverMovesBeforeItsSenders(t *testing.T) {
	r, a, b := pair(t, nil)
	var senders []*client
	for range dialsMax + 20 {
		senders = append(senders, dialClient(t, r.addr))
	}
	_, receiver := redirected(t, r, "3")
	id := strings.TrimPrefix(receiver.do("CLIENT", "ID"), ":")
	for _, c := range senders {
		c.want("+OK", "CLIENT", "TRACKING", "ON", "REDIRECT", id)
	}
	a.kill()
	r.failOver(2, 1, b)
	for _, c := range senders {
		c.want("nil", "GET", "nothing")
	}
	invalidates(senders[0], receiver, b, "1")
	if got, want := r.stats().Clients, len(senders)+2; got != want {
		t.Errorf("got %d clients, want %d", got, want)
	}
}

// The receiver has a part of a large reply when its sender is moved. It is told behind that reply.
func TestReceiverIsToldBehindALargeReply(t *testing.T) {
	r, a, _ := pair(t, nil)
	r.confirm()
	reader, receiver := redirected(t, r, "3")
	const size = 16 << 20
	a.do("SET", "big", repeat("x", size))
	receiver.send(request("GET", "big"))
	eventually(t, "it is under way", func() bool { return r.bulks() == 1 })
	if got := a.do("CLIENT", "KILL", "ID", a.sender()); got != ":1" {
		t.Fatalf("kill: got %q", got)
	}
	reader.want("v", "GET", "k") // served again
	if got := len(receiver.read()); got != size {
		t.Fatalf("got %d bytes, want %d", got, size)
	}
	receiver.forgets(1)
	invalidates(reader, receiver, a, "2")
}

// sender is what the server calls the one client that redirects its invalidations.
func (s *redisServer) sender() string {
	for _, line := range strings.Split(s.do("CLIENT", "LIST"), "\n") {
		if strings.Contains(line, " redir=") && !strings.Contains(line, " redir=-1 ") {
			id, _, _ := strings.Cut(strings.TrimPrefix(line, "id="), " ")
			return id
		}
	}
	return ""
}
