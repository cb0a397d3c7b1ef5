package resp

import "strconv"

// appendRemaining appends a command that waits for data with what is left of its time-out after elapsed milliseconds.
// A time-out of zero waits for ever and stays; one that is spent becomes the shortest there is, so that the server
// itself gives the reply of a time-out. What is not understood is appended as it is.
func appendRemaining(dst []byte, cmd Command, req []byte, elapsed uint32) []byte {
	var array [16][]byte
	args, ok := Args(req, array[:0])
	i, milliseconds := timeoutAt(cmd, args)
	if !ok || i <= 0 || i >= len(args) {
		return append(dst, req...)
	}
	unit := 1000.0
	if milliseconds {
		unit = 1
	}
	left, err := strconv.ParseFloat(string(args[i]), 64)
	if err != nil || !(left > 0) || left > 1e12 {
		return append(dst, req...)
	}
	ms := max(left*unit-float64(elapsed), 1)
	if milliseconds {
		args[i] = strconv.AppendInt(nil, int64(ms), 10)
	} else {
		args[i] = strconv.AppendFloat(nil, ms/unit, 'f', 3, 64)
	}
	return encode(dst, args...)
}

// timeoutAt is the place of the time-out among the arguments, 0 if there is none, and whether it counts milliseconds.
func timeoutAt(cmd Command, args [][]byte) (i int, milliseconds bool) {
	switch cmd.Spec().Name {
	case "blpop", "brpop", "bzpopmin", "bzpopmax", "blmove", "brpoplpush":
		return len(args) - 1, false
	case "blmpop", "bzmpop":
		return 1, false
	case "xread", "xreadgroup":
		for k := 1; k+1 < len(args) && !anyOf(args[k:k+1], "streams"); k++ {
			switch {
			case anyOf(args[k:k+1], "group"):
				k += 2 // names may be any word
			case anyOf(args[k:k+1], "block"):
				return k + 1, true
			}
		}
	}
	return 0, false
}
