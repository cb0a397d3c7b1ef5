package proxy

import (
	"strconv"
	"strings"
	"testing"

	"holdfast/proxy/resp"
)

// fieldOf reads a field of each line of CLIENT LIST or CLIENT INFO, by the id that stands in it.
func fieldOf(t *testing.T, text, field string) map[string]string {
	t.Helper()
	found := map[string]string{}
	for line := range strings.Lines(strings.TrimPrefix(text, "txt:")) {
		fields := map[string]string{}
		for _, f := range strings.Fields(line) {
			name, value, _ := strings.Cut(f, "=")
			fields[name] = value
		}
		if _, ok := fields[field]; !ok {
			t.Fatalf("got line %q without %s", line, field)
		}
		found[fields["id"]] = fields[field]
	}
	return found
}

// Whoever has seen an id finds it in every list, under its name; who has not is shown by the server's own.
func TestListsShowTheIDsThatClientsKnow(t *testing.T) {
	r, _, b := pair(t, nil)
	c, d, listener, silent := dialClient(t, r.addr), dialClient(t, r.addr), dialClient(t, r.addr), dialClient(t, r.addr)
	ids := map[string]string{}
	for name, k := range map[string]*client{"c": c, "d": d, "listener": listener} {
		k.want("+OK", "CLIENT", "SETNAME", name)
		ids[name] = idOf(t, k)
	}
	silent.want("+OK", "CLIENT", "SETNAME", "silent")
	d.want("+OK", "CLIENT", "TRACKING", "ON", "REDIRECT", ids["listener"])
	listener.want("*[subscribe __redis__:invalidate :1]", "SUBSCRIBE", "__redis__:invalidate")
	check := func(text string) {
		t.Helper()
		names, targets := fieldOf(t, text, "name"), fieldOf(t, text, "redir")
		if names[ids["c"]] != "c" || names[ids["d"]] != "d" || targets[ids["d"]] != ids["listener"] || targets[ids["c"]] != "-1" {
			t.Fatalf("got names %v and redirections %v, want those of %v", names, targets, ids)
		}
		for id, name := range names {
			if n, err := strconv.ParseUint(id, 10, 64); err != nil || resp.OwnID(n) == (name == "silent" || name == "") {
				t.Fatalf("got id %s for %q in %q", id, name, text)
			}
		}
	}
	all := func() {
		t.Helper()
		for _, proto := range []string{"3", "2"} {
			c.do("HELLO", proto)
			check(c.do("CLIENT", "LIST"))
			c.want("+OK", "MULTI")
			c.want("+QUEUED", "CLIENT", "LIST")
			c.want("+QUEUED", "PING")
			got := strings.TrimPrefix(c.do("EXEC"), "*[")
			check(strings.TrimSuffix(got, " +PONG]"))
		}
		if got := fieldOf(t, d.do("CLIENT", "INFO"), "redir"); got[ids["d"]] != ids["listener"] {
			t.Fatalf("CLIENT INFO: got redirections %v", got)
		}
		if got := d.do("CLIENT", "TRACKINGINFO"); !strings.Contains(got, "redirect :"+ids["listener"]+" prefixes") {
			t.Fatalf("CLIENT TRACKINGINFO: got %q", got)
		}
		d.want(":"+ids["listener"], "CLIENT", "GETREDIR")
		if got := c.do("CLIENT", "TRACKINGINFO"); !strings.Contains(got, "redirect :-1 ") {
			t.Fatalf("CLIENT TRACKINGINFO without tracking: got %q", got)
		}
	}
	all()
	r.failOver(2, 1, b)
	silent.want("+PONG", "PING")
	d.want("+PONG", "PING")
	all()
	c.want(":1", "CLIENT", "KILL", "ID", ids["d"])
	eventually(t, "gone", func() bool { return r.stats().Clients == 3 })
	if got := fieldOf(t, c.do("CLIENT", "LIST"), "name"); got[ids["d"]] != "" {
		t.Errorf("who was killed is in the list: %v", got)
	}
}

// A list that is too large to be kept whole passes as it is, with the ids of the server.
func TestListBeyondTheBoundPasses(t *testing.T) {
	r, _, _ := pair(t, nil)
	c := dialClient(t, r.addr)
	id := idOf(t, c)
	name := strings.Repeat("n", 60<<10)
	for range 2 {
		other := dialClient(t, r.addr)
		other.want("+OK", "CLIENT", "SETNAME", name)
	}
	got := c.do("CLIENT", "LIST")
	if len(got) < 120<<10 || strings.Contains(got, "id="+id) {
		t.Errorf("got %d bytes, with an id of ours: %v", len(got), strings.Contains(got, "id="+id))
	}
	c.want("+PONG", "PING")
}
