package health

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// A master that was relaxed and then became a replica has its setting back as well, or its next promotion would be a lax one.
func TestRelaxedReplicaIsRestored(t *testing.T) {
	w := newWorld(1, 2, nil)
	w.pass(3 * time.Second)
	replica := 1 - w.pool.master
	w.pool.nodes[replica].relaxed = 2
	if got := w.pool.record().Relaxed; got[w.pool.name(replica)] != 2 || len(got) != 1 {
		t.Errorf("record: got %v, want 2 for %s", got, w.pool.name(replica))
	}
	w.log = nil
	w.pass(2 * time.Second)
	log := strings.Join(w.log, "\n")
	if got := w.pool.nodes[replica].relaxed; got != 0 || strings.Count(log, " restore node=1") != 1 || strings.Count(log, " commit ") != 1 {
		t.Errorf("got %d, want it restored and recorded once:\n%s", got, log)
	}
	if got := w.pool.record().Relaxed; got != nil {
		t.Errorf("record: got %v, want none", got)
	}
}

func TestRelaxedIsRememberedOverARestart(t *testing.T) {
	s := Settings{Name: "p", Backends: []Backend{{Name: "a", Address: "a:1"}, {Name: "b", Address: "b:1"}}}.normalized()
	p := newPool(&s, Record{Epoch: 3, Relaxed: map[string]int64{"b": 1, "gone": 5}})
	if p.nodes[0].relaxed != 0 || p.nodes[1].relaxed != 1 {
		t.Errorf("got %d and %d, want 0 and 1", p.nodes[0].relaxed, p.nodes[1].relaxed)
	}
}

// An error of the journal is shown until a whole record could be written, and not a second longer.
func TestJournalErrorIsShownUntilARecordIsWritten(t *testing.T) {
	w := newWorld(1, 2, nil)
	w.pass(3 * time.Second)
	w.observe(Observation{Result: &Result{Kind: EffectNote, Err: errors.New("no space left")}})
	w.observe(Observation{Result: &Result{Kind: EffectNote}})
	if got, want := w.pool.journal, "no space left"; got != want {
		t.Errorf("after a note: got %q, want %q", got, want)
	}
	w.log = nil
	w.pass(2 * noteEvery)
	if log := strings.Join(w.log, "\n"); w.pool.journal != "" || strings.Count(log, " commit ") != 1 {
		t.Errorf("got %q, want one record that ends it:\n%s", w.pool.journal, log)
	}
}
