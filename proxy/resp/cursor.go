package resp

import "strconv"

// The cursor of a SCAN counts slots of one process's hash table: on another server it skips keys without a word. A pool may
// let cursors carry the mastership under which they were given out, above the bits that a server uses.
const (
	// cursorBits are left to the server: a table of 2^40 slots would need terabytes.
	cursorBits = 40
	// eras is how many masterships are told apart. The sum of both keeps a cursor below 2^53, which programs that keep
	// numbers as doubles can still read.
	eras = 1<<12 - 1
)

// Era makes the mark of a mastership, never 0.
func Era(epoch uint64) uint16 { return uint16(epoch%eras) + 1 }

// SetEra says under which mastership the present connection was made; 0: cursors are passed as they are.
func (c *Conv) SetEra(era uint16) { c.era = era }

// cursor takes the mark off a cursor. One from an earlier mastership is answered with an error: to go on from there would
// miss keys. In a block no mark can be put on the reply, so that only a first SCAN may be there.
func (t *translation) cursor(i int) {
	if i >= len(t.args) {
		return
	}
	cursor, err := strconv.ParseUint(string(t.args[i]), 10, 64)
	switch {
	case err != nil || cursor == 0:
	case cursor>>cursorBits != uint64(t.conv.era) || t.conv.inBlock:
		t.answer = AnswerStaleCursor
	default:
		t.args[i] = strconv.AppendUint(nil, cursor&(1<<cursorBits-1), 10)
		t.changed = true
	}
}

// markCursor puts the mark on the cursor at the head of a reply, of which frame may be only the beginning.
func (c *Conv) markCursor(fl *Flights, frame []byte) {
	fl.renamed, fl.taken, fl.server = fl.renamed[:0], 0, 0
	const head = "*2\r\n"
	if len(frame) < len(head)+1 || string(frame[:len(head)]) != head || frame[len(head)] != '$' {
		return
	}
	text, n := text(frame[len(head):])
	cursor, err := strconv.ParseUint(string(text), 10, 64)
	if n == 0 || err != nil || cursor == 0 || cursor>>cursorBits != 0 {
		return // the end of the scan, or a table that cannot be: its cursor has no mark and is refused
	}
	own := strconv.AppendUint(nil, cursor|uint64(c.era)<<cursorBits, 10)
	fl.renamed = append(append(fl.renamed, head...), '$')
	fl.renamed = strconv.AppendInt(fl.renamed, int64(len(own)), 10)
	fl.renamed = append(append(append(fl.renamed, '\r', '\n'), own...), '\r', '\n')
	fl.taken = len(head) + n
}
