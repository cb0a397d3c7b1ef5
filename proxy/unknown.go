package proxy

import (
	"sync"

	"holdfast/proxy/resp"
)

// strangersMax bounds the names of unknown commands that are logged: names come from clients.
const strangersMax = 100

// strangers are the unknown commands that were logged already. A loop takes the lock when a connection meets its first
// unknown command, and at no other time.
type strangers struct {
	mu    sync.Mutex // guards named
	named map[string]bool
}

// first says whether the name was not seen before.
func (x *strangers) first(name string) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.named[name] || len(x.named) >= strangersMax {
		return false
	}
	if x.named == nil {
		x.named = map[string]bool{}
	}
	x.named[name] = true
	return true
}

// Learn tells the pool which commands its master knows. It may be called at any time; what it brings counts for the
// requests that follow.
func (p *Pool) Learn(commands []resp.Described) { p.vocabulary.Store(resp.NewVocabulary(commands)) }

// wonder notes that a session has executed a command of which nobody knows what it changed on the connection.
func (w *worker) wonder(s *session) {
	name, ok := s.conv.OddNews()
	if !ok {
		return
	}
	v := s.view
	v.odd++
	if v.pool.strangers.first(name) {
		w.proxy.log.Warn("unknown command, its effect on a connection is not known and may be missing after a failover",
			"pool", v.pool.name, "command", name, "close", v.pool.options.CloseUnknownState)
	}
}
