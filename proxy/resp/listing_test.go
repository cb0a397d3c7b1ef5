package resp

import (
	"fmt"
	"strings"
	"testing"
)

// nameBook knows a server's ids.
type nameBook map[uint64]uint64

func (b nameBook) Own(server uint64) uint64 { return b[server] }
func (b nameBook) Server(uint64) uint64     { return 0 }
func (b nameBook) Lasting() bool            { return true }

// The text of CLIENT LIST and CLIENT INFO in the server's ids and in ours: nothing else in it may change.
func TestListingRows(t *testing.T) {
	const own, other = ownIDs + 1, ownIDs + 2
	names := nameBook{5: own, 6: other}
	for _, c := range []struct {
		name, text, want string
		self             bool
	}{
		{"one known", "id=5 addr=a name= redir=-1\n", "id=OWN addr=a name= redir=-1\n", false},
		{"known and unknown", "id=7 name=x redir=0\nid=6 name=y redir=5\n", "id=7 name=x redir=0\nid=OTHER name=y redir=OWN\n", false},
		{"a number that only begins like one", "id=56 redir=65\n", "id=56 redir=65\n", false},
		{"a name that looks like a field", "id=5 name=redir=6 redir=6\n", "id=OWN name=redir=6 redir=OTHER\n", false},
		{"an older server without the field", "id=6 name=redir=5\n", "id=OTHER name=redir=5\n", false},
		{"no list", "id=5", "id=OWN", false},
		{"something else", "hello id=5\n", "hello id=5\n", false},
		{"no number", "id=x redir=5\n", "id=x redir=5\n", false},
		{"nothing", "", "", false},
		{"about oneself", "id=9 name= redir=-1\n", "id=OWN name= redir=-1\n", true},
		{"about oneself, redirected", "id=9 name= redir=6\n", "id=OWN name= redir=OTHER\n", true},
	} {
		for _, frame := range []string{"$%d\r\n%s\r\n", "=%d\r\n%s\r\n"} {
			text, want := c.text, c.want
			if frame[0] == '=' {
				text, want = "txt:"+text, "txt:"+want
			}
			want = strings.NewReplacer("OWN", fmt.Sprint(uint64(own)), "OTHER", fmt.Sprint(uint64(other))).Replace(want)
			fl := &Flights{}
			fl.Know(names)
			conv := Conv{own: own}
			got := string(conv.renameListing(fl, nil, fmt.Appendf(nil, frame, len(text), text), c.self))
			if want := fmt.Sprintf(frame, len(want), want); got != want {
				t.Errorf("%s: got %q, want %q", c.name, got, want)
			}
			if c.self != (fl.server == 9) {
				t.Errorf("%s: the server calls us %d", c.name, fl.server)
			}
		}
	}
}
