package proxy

import (
	"holdfast/splice"

	"github.com/valyala/bytebufferpool"
)

func buffered(b *bytebufferpool.ByteBuffer) int {
	if b == nil {
		return 0
	}
	return len(b.B)
}

func drop(b **bytebufferpool.ByteBuffer) {
	if *b != nil {
		bytebufferpool.Put(*b)
		*b = nil
	}
}

func keep(b **bytebufferpool.ByteBuffer, p []byte) {
	if len(p) == 0 {
		return
	}
	if *b == nil {
		*b = bytebufferpool.Get()
	}
	(*b).B = append((*b).B, p...)
}

// write sends p behind what is still unsent, and keeps the rest. A broken peer is noticed when it is read.
func write(fd int32, unsent **bytebufferpool.ByteBuffer, p []byte) {
	if *unsent == nil && len(p) > 0 {
		n, _ := splice.Send(int(fd), p)
		p = p[max(n, 0):]
	}
	keep(unsent, p)
}

// flush sends what is unsent; it reports whether nothing is left.
func flush(fd int32, unsent **bytebufferpool.ByteBuffer) bool {
	b := *unsent
	if b == nil {
		return true
	}
	n, errno := splice.Send(int(fd), b.B)
	if errno != 0 || n < len(b.B) {
		b.B = append(b.B[:0], b.B[max(n, 0):]...)
		return false
	}
	drop(unsent)
	return true
}
