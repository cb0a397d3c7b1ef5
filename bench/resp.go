package bench

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// Bounds of one reply. The load never asks for more; a header that claims more is a framing error, which is exactly what
// the load is there to notice.
const (
	replyDepthMax = 8
	replyBulkMax  = 64 << 20 // bytes
	replyItemsMax = 1 << 24
)

// errFraming is returned when the bytes of a reply are not RESP2.
var errFraming = errors.New("read reply: not a RESP reply")

// reply is one RESP2 reply. kind is its first byte; null bulks and null arrays have null set.
type reply struct {
	kind  byte // '+', '-', ':', '$' or '*'
	text  string
	num   int64
	items []reply
	null  bool
}

func (r reply) isError() bool { return r.kind == '-' }

// String shows a reply as a person would write it down in a report.
func (r reply) String() string {
	switch {
	case r.null:
		return "nil"
	case r.kind == ':':
		return strconv.FormatInt(r.num, 10)
	case r.kind == '*':
		return fmt.Sprint(r.items)
	case r.kind == '$':
		return strconv.Quote(r.text)
	default:
		return string(r.kind) + r.text
	}
}

// appendRequest adds one request to b.
func appendRequest(b []byte, args ...string) []byte {
	b = append(b, '*')
	b = strconv.AppendInt(b, int64(len(args)), 10)
	b = append(b, "\r\n"...)
	for _, arg := range args {
		b = append(b, '$')
		b = strconv.AppendInt(b, int64(len(arg)), 10)
		b = append(b, "\r\n"...)
		b = append(b, arg...)
		b = append(b, "\r\n"...)
	}
	return b
}

// readReply reads one whole reply.
func readReply(r *bufio.Reader) (reply, error) { return readNested(r, 0) }

func readNested(r *bufio.Reader, depth int) (reply, error) {
	line, err := readLine(r)
	if err != nil {
		return reply{}, err
	}
	rep := reply{kind: line[0], text: string(line[1:])}
	switch rep.kind {
	case '+', '-':
		return rep, nil
	case ':', '$', '*':
	default:
		return reply{}, fmt.Errorf("%w: %.40q", errFraming, line)
	}
	if rep.num, err = strconv.ParseInt(rep.text, 10, 64); err != nil {
		return reply{}, fmt.Errorf("%w: %.40q", errFraming, line)
	}
	rep.text = ""
	if rep.kind == ':' {
		return rep, nil
	}
	if rep.num == -1 {
		rep.null = true
		return rep, nil
	}
	if rep.kind == '$' {
		return readBulk(r, rep)
	}
	return readItems(r, rep, depth)
}

func readBulk(r *bufio.Reader, rep reply) (reply, error) {
	if rep.num < 0 || rep.num > replyBulkMax {
		return reply{}, fmt.Errorf("%w: bulk of %d bytes", errFraming, rep.num)
	}
	body := make([]byte, rep.num+2)
	if _, err := io.ReadFull(r, body); err != nil {
		return reply{}, err
	}
	if body[rep.num] != '\r' || body[rep.num+1] != '\n' {
		return reply{}, fmt.Errorf("%w: bulk of %d bytes without an end", errFraming, rep.num)
	}
	rep.text = string(body[:rep.num])
	return rep, nil
}

func readItems(r *bufio.Reader, rep reply, depth int) (reply, error) {
	if rep.num < 0 || rep.num > replyItemsMax || depth >= replyDepthMax {
		return reply{}, fmt.Errorf("%w: array of %d at depth %d", errFraming, rep.num, depth)
	}
	for range rep.num {
		item, err := readNested(r, depth+1)
		if err != nil {
			return reply{}, err
		}
		rep.items = append(rep.items, item)
	}
	return rep, nil
}

// readLine returns a header line of at least one byte, without its end.
func readLine(r *bufio.Reader) ([]byte, error) {
	line, err := r.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		return nil, fmt.Errorf("%w: endless line %.40q", errFraming, line)
	}
	if err != nil {
		return nil, err
	}
	if len(line) < 3 || line[len(line)-2] != '\r' {
		return nil, fmt.Errorf("%w: %.40q", errFraming, line)
	}
	return line[:len(line)-2], nil
}
