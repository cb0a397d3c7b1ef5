package proxy

import (
	"cmp"
	recency "container/list"
	"crypto/sha1"
	"encoding/hex"
	"hash/maphash"
	"slices"
	"sync"
	"sync/atomic"

	"holdfast/proxy/resp"
)

const (
	// scriptsMax and scriptBytesMax bound the scripts that a pool remembers. Who has more makes a new script for each
	// call, and asks for none of them again.
	scriptsMax     = 1000
	scriptBytesMax = 4 << 20
	// scriptFreshFor is how long a loop does not look again at a script that it has reported, in ticks: 10 s. What is used
	// less often is older than what is.
	scriptFreshFor = 10_000 * resp.TicksPerMs
)

// Script is one that a server was taught through us.
type Script struct{ SHA, Body string }

// scripts remembers what clients have taught the master, so that the next one can be taught the same: servers do not
// replicate it. The least recently used is forgotten first.
//
// Invariants: order and known hold the same scripts; bytes is the sum of their bodies; seq grows with each script that
// becomes wanted, and wanted scripts have the seq they got then.
type scripts struct {
	changed chan struct{} // has a token when something became wanted
	flushes atomic.Uint64 // how often all was forgotten: what loops have reported before counts no more

	mu    sync.Mutex // guards what follows; taken by a loop once in a while for each script, never for each call
	known map[string]*recency.Element
	order recency.List // of *script, most recently used first
	bytes int
	seq   uint64
	full  bool // something was forgotten for want of room: from now on a script is wanted when it is used twice
}

type script struct {
	Script
	seq uint64 // 0: not wanted yet
}

func newScripts() *scripts {
	return &scripts{changed: make(chan struct{}, 1), known: map[string]*recency.Element{}}
}

// note takes what a reply has proven.
func (b *scripts) note(cmd resp.Command, arg []byte) {
	switch cmd {
	case resp.CmdScriptFlush:
		b.flush()
	case resp.CmdEvalsha, resp.CmdEvalshaRo:
		b.use(string(lower(arg)), "", true)
	default:
		sum := sha1.Sum(arg)
		b.use(hex.EncodeToString(sum[:]), string(arg), cmd == resp.CmdScriptLoad)
	}
}

// use puts a script in front. It is wanted on other servers when it was loaded or used again, and at once while there is
// room for all: a script that is made for one call only would fill their memory for nothing.
func (b *scripts) use(sha, body string, wanted bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	e := b.known[sha]
	switch {
	case e != nil:
		b.order.MoveToFront(e)
		wanted = true
	case body == "":
		return // a script from before our time: nobody has told us what it says
	default:
		e = b.order.PushFront(&script{Script: Script{SHA: sha, Body: body}})
		b.known[sha] = e
		b.bytes += len(body)
		b.shrink()
	}
	if s := e.Value.(*script); s.seq == 0 && (wanted || !b.full) {
		b.seq++
		s.seq = b.seq
		select {
		case b.changed <- struct{}{}:
		default:
		}
	}
}

// shrink forgets what has not been used for longest.
func (b *scripts) shrink() {
	for b.order.Len() > scriptsMax || b.bytes > scriptBytesMax {
		s := b.order.Remove(b.order.Back()).(*script)
		delete(b.known, s.SHA)
		b.bytes -= len(s.Body)
		b.full = true
	}
}

// flush forgets everything, as the server did.
func (b *scripts) flush() {
	b.mu.Lock()
	defer b.mu.Unlock()
	clear(b.known)
	b.order.Init()
	b.bytes = 0
	b.flushes.Add(1)
}

// since returns the wanted scripts behind a mark in the order in which they became wanted, and the mark behind them.
func (b *scripts) since(mark uint64) (wanted []Script, next uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var found []*script
	for e := b.order.Front(); e != nil; e = e.Next() {
		if s := e.Value.(*script); s.seq > mark {
			found = append(found, s)
		}
	}
	slices.SortFunc(found, func(a, b *script) int { return cmp.Compare(a.seq, b.seq) })
	for _, s := range found {
		wanted = append(wanted, s.Script)
	}
	return wanted, b.seq
}

// Scripts returns the scripts that other servers should know, from those that became known after the mark on; 0: all. The
// second value is the mark for the next call.
func (p *Pool) Scripts(mark uint64) ([]Script, uint64) { return p.scripts.since(mark) }

// ScriptsChanged receives after a script became known.
func (p *Pool) ScriptsChanged() <-chan struct{} { return p.scripts.changed }

// lessons are the scripts that one loop has reported lately, by a hash of their text, and when.
type lessons struct {
	seed     maphash.Seed
	reported map[uint64]uint32
	flushes  uint64
}

// learn passes on what the last reply has proven about scripts.
func (w *worker) learn(v *view) {
	cmd, arg, ok := w.flights.Lesson()
	if !ok {
		return
	}
	l, book := &v.lessons, v.pool.scripts
	if n := book.flushes.Load(); l.reported == nil || n != l.flushes || len(l.reported) >= scriptsMax {
		*l = lessons{seed: maphash.MakeSeed(), reported: map[uint64]uint32{}, flushes: n}
	}
	key, now := maphash.Bytes(l.seed, arg)+uint64(cmd), w.now()
	if at, known := l.reported[key]; known && now-at < scriptFreshFor && cmd != resp.CmdScriptFlush {
		return
	}
	l.reported[key] = now
	book.note(cmd, arg)
}

// lower folds the hexadecimal digits of a SHA1; servers take both cases.
func lower(sha []byte) []byte {
	folded := make([]byte, len(sha))
	for i, c := range sha {
		if 'A' <= c && c <= 'F' {
			c += 'a' - 'A'
		}
		folded[i] = c
	}
	return folded
}
