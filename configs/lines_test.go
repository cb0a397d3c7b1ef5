package configs

import (
	"strings"
	"testing"
)

func TestLines(t *testing.T) {
	book := readLines(`# comment with [brackets] = "x"
a = 1
"b c" = """
fake = 1
[fake]
""""
d.e = [ # comment ]
  "x = 1",
  { f = '''
'''
, g = 2 }, 7]

[t]
h = "\"#]"
[[u]]
i = 'a\'
[[u]]
i = 2
[u.v]
i = 3
[[u.w]]
i = 4
`)
	for path, want := range map[string]int{
		"a": 2, `"b c"`: 3, "d.e": 7, "d.e[0]": 8, "d.e[1]": 9, "d.e[1].f": 9, "d.e[1].g": 11, "d.e[2]": 11,
		"t": 13, "t.h": 14, "u[0]": 15, "u[0].i": 16, "u[1].i": 18, "u[1].v.i": 20, "u[1].w[0].i": 22,
		"u[0].missing": 15, "u[0].missing.deeper[3]": 15, "fake": 0, "nowhere": 0,
	} {
		if got := book.of(path); got != want {
			t.Errorf("%s: got line %d, want %d", path, got, want)
		}
	}
}

// TestLinesOfDeepNesting would take minutes and gigabytes if each level had a path of its own.
func TestLinesOfDeepNesting(t *testing.T) {
	book := readLines("a = " + strings.Repeat("[", 100_000) + "\n" + strings.Repeat("]", 100_000) + "\nb = 1\n" +
		strings.Repeat("c.", 100_000) + "c = 1\nd = 1")
	if got := book.of("b"); got != 3 {
		t.Errorf("b: got line %d, want 3", got)
	}
	if got := book.of("d"); got != 5 {
		t.Errorf("d: got line %d, want 5", got)
	}
}

// FuzzParse: whatever the text is, Parse ends, and gives either a Config that Validate accepts or faults of one line
// each.
func FuzzParse(f *testing.F) {
	f.Add(minimal)
	f.Add(pool("", "deny = 1\n[pool.check]\ninterval = 5\n") + second)
	f.Add("a = [[[{b = '''\n''', c.d = \"\"\"\\\"\"\"\"}]]]\n[[x]]\n[x.y]\n[[x.y.z]]")
	f.Add("[pool]\nname = \"a\\nb\"\n\"a\nb\"=1")
	f.Fuzz(func(t *testing.T, text string) {
		readLines(text)
		c, err := Parse("t", []byte(text))
		if err == nil {
			if err := c.Validate(); err != nil {
				t.Fatalf("parsed, and then: %v", err)
			}
			c.Warnings()
			return
		}
		for _, line := range strings.Split(err.Error(), "\n") {
			if !strings.HasPrefix(line, "t:") {
				t.Fatalf("got %q, want a fault on each line", line)
			}
		}
	})
}
