package resp

import "bytes"

// ClassOf is the class of a request with these arguments, the name included. It never calls a write a read, and never
// calls something repeatable that is not: options it does not know count as the worst.
func (c Command) ClassOf(args [][]byte) Class {
	class := c.Spec().Class
	if class != Conditional && class != Script && c.Spec().Flags&Blocking == 0 || len(args) == 0 {
		return class
	}
	switch c.Spec().Name {
	case "set":
		return classOfSet(args)
	case "sort", "georadius", "georadiusbymember":
		if anyOf(args[1:], "store", "storedist") {
			return WriteSame
		}
		return Read
	case "zadd":
		return classOfZadd(args)
	case "bitfield":
		return classOfBitfield(args)
	case "copy", "restore":
		if anyOf(args[1:], "replace") {
			return WriteSame
		}
		return WriteOnce
	case "xread":
		if blocks(args) {
			return BlockRead
		}
		return Read
	case "xreadgroup":
		if blocks(args) {
			return BlockWrite
		}
		return WriteOnce
	case "eval":
		if len(args) > 1 && declaresNoWrites(args[1]) {
			return Read
		}
	}
	if class == Conditional {
		return WriteOnce
	}
	return class
}

// classOfSet: only a plain SET, with or without a lifetime, gives the same reply twice.
func classOfSet(args [][]byte) Class {
	for i := 3; i < len(args); i += 2 {
		if !anyOf(args[i:i+1], "ex", "px", "exat", "pxat") {
			return WriteOnce
		}
	}
	return WriteSame
}

// classOfZadd: the options stand between the key and the first score.
func classOfZadd(args [][]byte) Class {
	for i := 2; i < len(args); i++ {
		switch {
		case anyOf(args[i:i+1], "gt", "lt", "ch"):
		case anyOf(args[i:i+1], "nx", "xx", "incr"):
			return WriteOnce
		default:
			return WriteState
		}
	}
	return WriteOnce
}

// classOfBitfield: GET only reads, SET replies with the value before, INCRBY counts.
func classOfBitfield(args [][]byte) Class {
	class := Read
	for i := 2; i < len(args); {
		switch {
		case anyOf(args[i:i+1], "get"):
			i += 3
		case anyOf(args[i:i+1], "set"):
			class = WriteState
			i += 4
		case anyOf(args[i:i+1], "overflow"):
			i += 2
		default:
			return WriteOnce
		}
	}
	return class
}

// blocks looks for BLOCK among the options of XREAD and XREADGROUP.
func blocks(args [][]byte) bool {
	for _, arg := range args[1:] {
		if equalFold("streams", arg) {
			return false
		}
		if equalFold("block", arg) {
			return true
		}
	}
	return false
}

// declaresNoWrites reads the first line of a script: the server itself refuses writes to a script with this flag.
func declaresNoWrites(script []byte) bool {
	line, _, _ := bytes.Cut(script, []byte("\n"))
	if !bytes.HasPrefix(line, []byte("#!lua")) {
		return false
	}
	for _, part := range bytes.Fields(line[len("#!lua"):]) {
		flags, ok := bytes.CutPrefix(part, []byte("flags="))
		if !ok {
			continue
		}
		for flag := range bytes.SplitSeq(flags, []byte(",")) {
			if string(flag) == "no-writes" {
				return true
			}
		}
	}
	return false
}

// anyOf says whether one of the arguments is one of these lower-case words.
func anyOf(args [][]byte, words ...string) bool {
	for _, arg := range args {
		for _, w := range words {
			if equalFold(w, arg) {
				return true
			}
		}
	}
	return false
}
