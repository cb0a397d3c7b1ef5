package proxy

import "testing"

// WAIT asks about the connection's last write, which the next master knows nothing of: it would confirm anything.
func TestWaitConfirmsNothingAfterAMove(t *testing.T) {
	r, a, b := pair(t, nil)
	c, reader := dialClient(t, r.addr), dialClient(t, r.addr)
	c.want("+OK", "SET", "k", "v")
	c.want(":1", "WAIT", "1", "5000")
	reader.want("v", "GET", "k")
	r.failOver(2, 1, b)
	replicate(t, b, a)
	c.want(":0", "WAIT", "1", "100")
	reader.want(":1", "WAIT", "1", "100") // it has written nothing, and asks what the server thinks of that
	c.want("v", "GET", "k")
	c.want(":0", "WAIT", "1", "100")
	c.want("+OK", "SET", "k", "w")
	c.want(":1", "WAIT", "1", "5000")
}
