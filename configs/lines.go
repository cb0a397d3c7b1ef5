package configs

import (
	"fmt"
	"strings"
)

// lineBook knows the line of every key by its path: `pool[0].backends[1].address`. The TOML library reports
// positions for syntax errors only, and a fault without its line is a search.
type lineBook map[string]int

// of is the line of path, or of the nearest table or array around it that was written, or 0.
func (b lineBook) of(path string) int {
	for path != "" {
		if line, ok := b[path]; ok {
			return line
		}
		path = around(path)
	}
	return 0
}

// around is the path of the table or list that path lies in, "" at the top.
func around(path string) string { return path[:max(0, strings.LastIndexAny(path, ".["))] }

// liner walks over text that the TOML library has accepted, so it only has to find keys, not to judge them.
//
// Invariant: each step moves pos forward or ends the walk; text that is not TOML gives a poor book, never a hang.
type liner struct {
	book   lineBook
	text   string
	pos    int
	line   int
	table  string         // path of the current [table]
	counts map[string]int // elements so far of each [[array of tables]]
}

func readLines(text string) lineBook {
	l := &liner{book: make(lineBook), text: text, line: 1, counts: make(map[string]int)}
	for l.skipBlank("") {
		if l.text[l.pos] == '[' {
			l.header()
			continue
		}
		if !l.pair(l.table) {
			break
		}
	}
	return l.book
}

// header reads [a.b] or [[a.b]].
func (l *liner) header() {
	array := strings.HasPrefix(l.text[l.pos:], "[[")
	line := l.line
	for l.pos < len(l.text) && l.text[l.pos] == '[' {
		l.pos++
	}
	path := ""
	parts := l.key("]")
	for i, part := range parts {
		path = join(path, part)
		if array && i == len(parts)-1 {
			l.counts[path]++
		}
		if n := l.counts[path]; n > 0 {
			path = index(path, n-1)
		}
	}
	for l.pos < len(l.text) && l.text[l.pos] == ']' {
		l.pos++
	}
	l.table = path
	l.book[path] = line
}

// pair reads one key and its value below the table at path.
func (l *liner) pair(path string) bool {
	line := l.line
	for _, part := range l.key("=") {
		path = join(path, part)
	}
	if l.pos >= len(l.text) {
		return false
	}
	l.pos++
	l.book[path] = line
	l.value(path)
	return true
}

// key reads a dotted key up to the end character, which stays unread.
func (l *liner) key(end string) []string {
	var parts []string
	for l.skipBlank(".") {
		c := l.text[l.pos]
		switch {
		case end[0] == c:
			return parts
		case c == '"' || c == '\'':
			parts = append(parts, strings.Trim(l.quoted(), `"'`))
		default:
			parts = append(parts, l.until(".=] \t\r\n"))
		}
	}
	return parts
}

// value steps over one value and notes the lines of what is nested in it.
func (l *liner) value(path string) {
	if !l.skipBlank("") {
		return
	}
	switch l.text[l.pos] {
	case '"', '\'':
		l.quoted()
	case '[':
		l.pos++
		for i := 0; l.skipBlank(",") && l.text[l.pos] != ']'; i++ {
			element := index(path, i)
			l.book[element] = l.line
			l.value(element)
		}
		l.pos++
	case '{':
		l.pos++
		for l.skipBlank(",") && l.text[l.pos] != '}' {
			if !l.pair(path) {
				return
			}
		}
		l.pos++
	default:
		l.until(",]}#\r\n")
	}
}

// skipBlank moves to the next character that is neither blank, comment nor one of also. It says whether there is one.
func (l *liner) skipBlank(also string) bool {
	for l.pos < len(l.text) {
		c := l.text[l.pos]
		switch {
		case c == '\n':
			l.line++
		case c == '#':
			if nl := strings.IndexByte(l.text[l.pos:], '\n'); nl >= 0 {
				l.pos += nl
				continue
			}
			l.pos = len(l.text)
			return false
		case !strings.ContainsRune(" \t\r"+also, rune(c)):
			return true
		}
		l.pos++
	}
	return false
}

// until reads up to one of the ends, and at least one character.
func (l *liner) until(ends string) string {
	n := strings.IndexAny(l.text[l.pos+1:], ends)
	if n < 0 {
		n = len(l.text) - l.pos - 1
	}
	word := l.text[l.pos : l.pos+1+n]
	l.pos += 1 + n
	return word
}

// quoted reads a string of any of the four kinds, quotes included.
func (l *liner) quoted() string {
	start, quote := l.pos, l.text[l.pos:l.pos+1]
	if strings.HasPrefix(l.text[l.pos:], strings.Repeat(quote, 3)) {
		quote = strings.Repeat(quote, 3)
	}
	l.pos += len(quote)
	for l.pos < len(l.text) {
		switch {
		case strings.HasPrefix(l.text[l.pos:], quote):
			l.pos += len(quote)
			// A multi-line string may end in up to two quotes of its own.
			for len(quote) == 3 && l.pos < len(l.text) && l.text[l.pos] == quote[0] {
				l.pos++
			}
			return l.text[start:l.pos]
		case l.text[l.pos] == '\\' && quote[0] == '"':
			l.pos++
		}
		if l.pos < len(l.text) && l.text[l.pos] == '\n' {
			l.line++
		}
		l.pos++
	}
	l.pos = len(l.text)
	return l.text[start:]
}

// pathBytesMax is longer than any key there is. Deeper nesting keeps the path of what it lies in, so that hostile text
// costs time in proportion to its length.
const pathBytesMax = 512

// join is the path of a key in the table at path. A key that is no plain word is quoted, so that a fault stays one line
// and no path is empty.
func join(path, key string) string {
	if !isWord(key, "-_") || len(key) > valueShownMax {
		key = quote(key)
	}
	switch {
	case path == "":
		return key
	case len(path) > pathBytesMax:
		return path
	}
	return path + "." + key
}

func index(path string, i int) string {
	if len(path) > pathBytesMax {
		return path
	}
	return fmt.Sprintf("%s[%d]", path, i)
}
