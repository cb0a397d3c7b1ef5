package load

import (
	"bytes"
	"errors"
	"strconv"
)

const (
	depthLimit  = 8   // of arrays in arrays; no request here is answered deeper than two
	headerLimit = 128 // bytes that are kept of a line: enough for any error's class
	// stampBytes is the width of the time that jobs and messages begin with, and so the smallest value.
	stampBytes = 20
)

var errGarbled = errors.New("the answer is not the RESP2 that was asked for")

// scanner finds the ends of replies in a stream that arrives in pieces of any size. It keeps of a reply what its kind needs:
// the first error in it, and the head of its last bulk.
//
// Invariant: body > 0 while a bulk is being read, and line is empty then.
type scanner struct {
	line    []byte
	body    int64 // bytes of a bulk that have not come, its end included
	size    int64 // of that bulk
	open    [depthLimit]int64
	depth   int // arrays that are open; open[depth-1] elements of the innermost are missing
	failure []byte
	null    bool // the reply itself is null
	head    []byte
}

// next reads up to the end of one reply. It returns what follows, and whether the reply is complete.
func (s *scanner) next(data []byte) (rest []byte, complete bool, err error) {
	for len(data) > 0 {
		if s.body > 0 {
			data = s.readBody(data)
			if s.body == 0 && s.element() {
				return data, true, nil
			}
			continue
		}
		end := bytes.IndexByte(data, '\n')
		piece := data
		if end >= 0 {
			piece = data[:end]
		}
		s.line = append(s.line, piece[:min(len(piece), headerLimit-len(s.line))]...)
		if end < 0 {
			return nil, false, nil
		}
		data = data[end+1:]
		complete, err := s.header()
		s.line = s.line[:0]
		if err != nil || complete {
			return data, complete, err
		}
	}
	return nil, false, nil
}

// begin forgets the last reply.
func (s *scanner) begin() {
	s.line, s.failure, s.head = s.line[:0], s.failure[:0], s.head[:0]
	s.body, s.depth, s.null = 0, 0, false
}

func (s *scanner) readBody(data []byte) []byte {
	n := min(s.body, int64(len(data)))
	if room := stampBytes - len(s.head); room > 0 {
		s.head = append(s.head, data[:min(int64(room), n)]...)
	}
	s.body -= n
	return data[n:]
}

// header acts on one whole line and reports whether it ended the reply.
func (s *scanner) header() (bool, error) {
	line := bytes.TrimSuffix(s.line, []byte("\r"))
	if len(line) == 0 {
		return false, errGarbled
	}
	switch line[0] {
	case '-':
		if len(s.failure) == 0 {
			s.failure = append(s.failure, line[1:]...)
		}
		return s.element(), nil
	case '+', ':':
		return s.element(), nil
	case '$', '*':
	default:
		return false, errGarbled
	}
	n, err := strconv.ParseInt(string(line[1:]), 10, 64)
	switch {
	case err != nil || n < -1 || n > valueBytesMax:
		return false, errGarbled
	case n == -1:
		s.null = s.depth == 0
		return s.element(), nil
	case line[0] == '$':
		s.body, s.size, s.head = n+2, n, s.head[:0]
		return false, nil
	case n == 0:
		return s.element(), nil
	case s.depth == depthLimit:
		return false, errGarbled
	}
	s.open[s.depth] = n
	s.depth++
	return false, nil
}

// element counts one whole element and reports whether it was the last one of the reply.
func (s *scanner) element() bool {
	for s.depth > 0 {
		s.open[s.depth-1]--
		if s.open[s.depth-1] > 0 {
			return false
		}
		s.depth--
	}
	return true
}

// class is the first word of the error in the reply, or nothing.
func (s *scanner) class() string {
	word, _, _ := bytes.Cut(s.failure, []byte(" "))
	return string(word)
}

// stamp reads the time that the last bulk begins with.
func (s *scanner) stamp() (int64, bool) {
	if len(s.head) < stampBytes {
		return 0, false
	}
	n, err := strconv.ParseInt(string(s.head[:stampBytes]), 10, 64)
	return n, err == nil
}
