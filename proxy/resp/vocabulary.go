package resp

import (
	"bytes"
	"slices"
	"strings"
)

// Described is a command as a server describes it in its reply to COMMAND.
type Described struct {
	Name  string // in lower case; a subcommand is "container|name"
	Flags []string
	Keyed bool // it names keys
}

// Vocabulary holds the commands of one server that the table does not know: those of modules, and of newer servers. It
// is never written after it was made. The nil Vocabulary knows nothing.
//
// Only what a server says is a read or a write, or names keys, is in it. Everything else may be about the connection,
// and is treated as the unknown command it is.
type Vocabulary struct{ commands map[string]Command }

// vocabularyMax bounds what a server can make us remember; the largest modules bring a few hundred commands.
const vocabularyMax = 10000

// NewVocabulary picks from a server's commands those that the table does not know. What the table knows, it knows better.
func NewVocabulary(server []Described) *Vocabulary {
	v := &Vocabulary{commands: map[string]Command{}}
	for _, d := range server[:min(len(server), vocabularyMax)] {
		head, sub, isSub := strings.Cut(d.Name, "|")
		cmd := Lookup([]byte(head), []byte(sub))
		if known := cmd.Spec(); known.Class != ClassUnknown || known.Flags&container != 0 && !isSub {
			continue
		}
		switch {
		case slices.Contains(d.Flags, "write"):
			v.commands[d.Name] = cmdForeignWrite
		case slices.Contains(d.Flags, "readonly"):
			v.commands[d.Name] = cmdForeignRead
		case d.Keyed:
			v.commands[d.Name] = cmdForeignWrite
		}
	}
	return v
}

// Len is the number of commands in it.
func (v *Vocabulary) Len() int {
	if v == nil {
		return 0
	}
	return len(v.commands)
}

// Translate is the command of a request that the table does not know: what the vocabulary says of it, else cmd itself.
func (v *Vocabulary) Translate(cmd Command, req []byte) Command {
	if v == nil || cmd.Spec().Class != ClassUnknown || len(v.commands) == 0 {
		return cmd
	}
	var array [16][]byte
	args, ok := Args(req, array[:0])
	if !ok {
		return cmd
	}
	name := bytes.ToLower(args[0])
	if len(args) > 1 {
		if known, ok := v.commands[string(name)+"|"+string(bytes.ToLower(args[1]))]; ok {
			return known
		}
	}
	if known, ok := v.commands[string(name)]; ok {
		return known
	}
	return cmd
}
