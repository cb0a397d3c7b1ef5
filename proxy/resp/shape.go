package resp

// Shape is where the parts of a whole request lie. A client that pipelines mostly says the same with other keys and values;
// where the headers of two requests are equal, so are their command and their length, and nothing needs to be read again. It
// takes a third of the time of a scan.
type Shape struct {
	command     Command
	size        int32  // of the request; 0: no other request can be told by this one
	key, keyEnd uint16 // the first argument behind the name; it may differ
	head        uint16 // where the last argument begins; it may differ as well
}

// Shape describes the request that Scan has found whole. Where the first argument is part of the command's name, as in CLIENT
// SETNAME, there is none.
func (r *Request) Shape() Shape {
	if r.at != requestDone || r.inline || r.argc < 2 || r.key == 0 {
		return Shape{}
	}
	return Shape{command: r.command, size: r.pos, key: r.key, keyEnd: r.keyEnd, head: uint16(r.pos - int32(r.body) - lineEnd)}
}

// Command is the command of every request of this shape.
func (s *Shape) Command() Command { return s.command }

// Fits says that p begins with a request that differs in its first and last argument at most from model, whose shape this is;
// then it is as long as that. False says nothing.
func (s *Shape) Fits(model, p []byte) (n int, ok bool) {
	n = int(s.size)
	if n == 0 || len(p) < n || p[n-2] != '\r' || p[n-1] != '\n' || string(p[:s.key]) != string(model[:s.key]) {
		return 0, false
	}
	return n, s.keyEnd >= s.head || string(p[s.keyEnd:s.head]) == string(model[s.keyEnd:s.head])
}
