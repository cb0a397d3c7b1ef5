package chaos

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"
)

const (
	// wireBuffer holds headers and small bodies, in bytes.
	wireBuffer = 4096
	// bulkMax bounds one bulk, in bytes; nothing here is larger than a few MiB, so more is broken framing.
	bulkMax = 64 << 20
	// itemsMax and depthMax bound an aggregate in the same way.
	itemsMax = 1 << 22
	depthMax = 8
)

// errFraming is returned when the bytes of a reply are no RESP.
var errFraming = errors.New("read reply: not a RESP reply")

// value is one reply of RESP2 or RESP3. kind is its first byte; the null forms of both have null set.
type value struct {
	kind  byte
	text  string
	num   int64
	items []value // of a map: key, value, key, value
	null  bool
}

func (v value) isError() bool { return v.kind == '-' || v.kind == '!' }

// isList reports whether the reply is an aggregate.
func (v value) isList() bool {
	return !v.null && (v.kind == '*' || v.kind == '~' || v.kind == '%' || v.kind == '>')
}

// String is the reply as a report quotes it.
func (v value) String() string {
	switch {
	case v.null:
		return "nil"
	case v.kind == ':':
		return strconv.FormatInt(v.num, 10)
	case v.isList():
		return fmt.Sprintf("%c%v", v.kind, v.items)
	case v.kind == '$':
		return strconv.Quote(clip(v.text))
	default:
		return string(v.kind) + clip(v.text)
	}
}

// clip keeps quotations in reports short.
func clip(s string) string {
	const most = 60
	if len(s) > most {
		return fmt.Sprintf("%s... (%d bytes)", s[:most], len(s))
	}
	return s
}

// wire is one connection that speaks either protocol. Pushes of RESP3 go to pushed, wherever they come.
type wire struct {
	net.Conn
	r      *bufio.Reader
	out    []byte
	pushed func(value)
}

func newWire(c net.Conn) *wire { return &wire{Conn: c, r: bufio.NewReaderSize(c, wireBuffer)} }

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

// send writes requests in one piece. Its error says little: replies may be here although the write failed.
func (w *wire) send(requests ...[]string) error {
	w.out = w.out[:0]
	for _, args := range requests {
		w.out = appendRequest(w.out, args...)
	}
	_, err := w.Write(w.out)
	return err
}

// ask sends one request and reads its reply, within limit; an error reply is no error.
func (w *wire) ask(limit time.Duration, args ...string) (value, error) {
	if err := w.SetDeadline(time.Now().Add(limit)); err != nil {
		return value{}, fmt.Errorf("%s: %w", args[0], err)
	}
	if err := w.send(args); err != nil {
		return value{}, fmt.Errorf("%s: %w", args[0], err)
	}
	v, err := w.read()
	if err != nil {
		return value{}, fmt.Errorf("%s: %w", args[0], err)
	}
	return v, nil
}

// must is ask for the rig's own questions, where an error reply is an error.
func (w *wire) must(args ...string) (value, error) {
	v, err := w.ask(queryMax, args...)
	if err == nil && v.isError() {
		err = fmt.Errorf("%s: %w: %s", args[0], errReply, v.text)
	}
	return v, err
}

// read returns the next reply that is no push.
func (w *wire) read() (value, error) {
	for {
		v, err := w.frame(0)
		if err != nil || v.kind != '>' {
			return v, err
		}
		if w.pushed != nil {
			w.pushed(v)
		}
	}
}

// frame reads one whole frame.
func (w *wire) frame(depth int) (value, error) {
	line, err := w.line()
	if err != nil {
		return value{}, err
	}
	v := value{kind: line[0], text: string(line[1:])}
	switch v.kind {
	case '+', '-', ',', '(', '#':
		return v, nil
	case '_':
		v.null = true
		return v, nil
	case ':', '$', '=', '!', '*', '~', '>', '%', '|':
	default:
		return value{}, fmt.Errorf("%w: %.40q", errFraming, line)
	}
	if v.num, err = strconv.ParseInt(v.text, 10, 64); err != nil {
		return value{}, fmt.Errorf("%w: %.40q", errFraming, line)
	}
	v.text = ""
	switch {
	case v.kind == ':':
		return v, nil
	case v.num == -1:
		v.null = true
		return v, nil
	case v.kind == '$', v.kind == '=', v.kind == '!':
		return w.bulk(v)
	default:
		return w.items(v, depth)
	}
}

func (w *wire) bulk(v value) (value, error) {
	if v.num < 0 || v.num > bulkMax {
		return value{}, fmt.Errorf("%w: bulk of %d bytes", errFraming, v.num)
	}
	body := make([]byte, v.num+2)
	if _, err := io.ReadFull(w.r, body); err != nil {
		return value{}, err
	}
	if body[v.num] != '\r' || body[v.num+1] != '\n' {
		return value{}, fmt.Errorf("%w: bulk of %d bytes without an end", errFraming, v.num)
	}
	v.text = string(body[:v.num])
	return v, nil
}

// items reads the elements of an aggregate; an attribute is followed by the reply it belongs to.
func (w *wire) items(v value, depth int) (value, error) {
	n := v.num
	if v.kind == '%' || v.kind == '|' {
		n *= 2
	}
	if n < 0 || n > itemsMax || depth >= depthMax {
		return value{}, fmt.Errorf("%w: aggregate of %d at depth %d", errFraming, n, depth)
	}
	for range n {
		item, err := w.frame(depth + 1)
		if err != nil {
			return value{}, err
		}
		v.items = append(v.items, item)
	}
	if v.kind == '|' {
		return w.frame(depth)
	}
	return v, nil
}

// line returns a header line without its end.
func (w *wire) line() ([]byte, error) {
	line, err := w.r.ReadSlice('\n')
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

// waiting reports whether a byte comes within limit. It takes nothing, so that no frame is ever torn by a deadline.
func (w *wire) waiting(limit time.Duration) (bool, error) {
	if w.r.Buffered() > 0 {
		return true, nil
	}
	if err := w.SetReadDeadline(time.Now().Add(limit)); err != nil {
		return false, err
	}
	_, err := w.r.Peek(1)
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return false, nil
	}
	return err == nil, err
}
