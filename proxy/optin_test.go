package proxy

import "testing"

// What a client chooses for its next command holds for that command wherever it is executed, as a real server means it.
func TestChoicesAboutTheCacheMove(t *testing.T) {
	r, a, b := pair(t, nil)
	in, out, block := r.caching("OPTIN"), r.caching("OPTOUT"), r.caching("OPTIN")
	in.want("+OK", "CLIENT", "CACHING", "YES")
	in.want("_", "CLIENT", "GETNAME")
	out.want("+OK", "CLIENT", "CACHING", "NO")
	block.want("+OK", "CLIENT", "CACHING", "YES")
	block.want("+OK", "MULTI")
	a.kill()
	r.failOver(2, 1, b)
	for _, c := range []*client{in, out, block} {
		c.forgets(2)
	}
	in.want("_", "GET", "in")
	out.want("_", "GET", "out")
	block.want("+QUEUED", "GET", "block")
	block.want("*[_]", "EXEC")
	for _, c := range []*client{in, out, block} {
		c.want("_", "GET", "later")
	}
	for _, key := range []string{"in", "out", "block", "later"} {
		b.do("SET", key, "new")
	}
	// Each hears of what it has chosen, and of nothing else.
	in.hears("in")
	out.hears("later")
	block.hears("block")
}

// hears wants the invalidation of one key, the news that is told once more, and then a reply.
func (c *client) hears(key string) {
	c.t.Helper()
	if got := c.read(); got != ">[invalidate *["+key+"]]" {
		c.t.Fatalf("got %q, want the invalidation of %s", got, key)
	}
	c.forgets(1)
	c.want("+PONG", "PING")
}
