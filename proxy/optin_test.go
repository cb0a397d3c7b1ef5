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
	in.hears("_", "GET", "in")
	out.hears("_", "GET", "out")
	block.hears("+QUEUED", "GET", "block")
	block.hears("*[_]", "EXEC")
	for _, c := range []*client{in, out, block} {
		c.hears("_", "GET", "later")
	}
	for _, key := range []string{"in", "out", "block", "later"} {
		b.do("SET", key, "new")
	}
	// Each hears of what it has chosen, and of nothing else.
	for c, key := range map[*client]string{in: "in", out: "later", block: "block"} {
		c.hears(">[invalidate *[" + key + "]]")
		c.hears("+PONG", "PING")
	}
}
