package peers

import (
	"bytes"
	"fmt"
	"strconv"
)

const pongReply = "+PONG\r\n"

var pingRequest = encode("PING")

// operation is one round trip: the bytes sent, and how many bytes come back. That the length is known beforehand keeps the
// generator cheap: it counts bytes and looks at the first one, so the machine's time goes to what is measured.
type operation struct {
	request  []byte
	reply    int // bytes; all operations here have replies of one length
	commands int // that the round trip stands for
}

// encode writes one command in the protocol's multibulk form.
func encode(words ...string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "*%d\r\n", len(words))
	for _, word := range words {
		fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(word), word)
	}
	return b.Bytes()
}

// value is a value of some size with a pattern in it, so that a shifted reply would be seen in a trace.
func value(size int) string {
	return string(bytes.Repeat([]byte("0123456789abcdef"), size/16+1)[:size])
}

// keyOf names the one key of each size. It always holds value(size), so a SET changes nothing a GET could see.
func keyOf(size int) string { return "holdfast:bench:" + strconv.Itoa(size) }

func get(size int) operation {
	return operation{request: encode("GET", keyOf(size)), reply: len(strconv.Itoa(size)) + size + len("$\r\n\r\n"), commands: 1}
}

func set(size int) operation {
	return operation{request: encode("SET", keyOf(size), value(size)), reply: len("+OK\r\n"), commands: 1}
}

// pipeline joins depth operations, taken in turn, into one round trip.
func pipeline(depth int, ops ...operation) operation {
	var joined operation
	for i := range depth {
		op := ops[i%len(ops)]
		joined.request = append(joined.request, op.request...)
		joined.reply += op.reply
		joined.commands += op.commands
	}
	return joined
}
