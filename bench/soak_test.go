package bench

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"holdfast/bench/testbed"
)

// TestSoak is the short form: the counts must be back after each failover, and nothing may be lost or run twice.
func TestSoak(t *testing.T) {
	var progress, table, figures bytes.Buffer
	r, err := Soak(t.Context(), SoakOptions{Binary: testbed.Binary(t), Duration: 12 * time.Second, Every: 4 * time.Second, Clients: 20,
		Think: thinkDefault, Progress: &progress})
	if err != nil {
		t.Fatalf("%v\n%s", err, progress.String())
	}
	check(t, r.WriteTable(&table))
	t.Log("\n" + table.String())
	for _, p := range r.Broken() {
		t.Errorf("%s: got %s", p.Text, p.Got)
	}
	if got := strings.Count(progress.String(), "\n"); got != 3 || len(r.Cycles) != 3 {
		t.Errorf("got %d lines of progress for %d failovers, want 3:\n%s", got, len(r.Cycles), progress.String())
	}
	check(t, r.WriteJSON(&figures))
	var again SoakResult
	if err := json.Unmarshal(figures.Bytes(), &again); err != nil || again.Base != r.Base || len(again.Cycles) != len(r.Cycles) {
		t.Errorf("read the figures again: %v, got base line %+v, want %+v", err, again.Base, r.Base)
	}
	if r.Base.Descriptors < 40 || r.Base.Goroutines == 0 || r.Base.PrivateDirty == 0 || r.Base.Heap == 0 || r.Base.Threads == 0 {
		t.Errorf("got %+v, want a reading of everything", r.Base)
	}
}

// soakOf makes up a soak of n cycles of ten seconds each, with three readings in each.
func soakOf(n int, holds func(cycle int) Holdings) *SoakResult {
	r := &SoakResult{Clients: 50, Every: 10 * time.Second, WarmUp: n / 3, Idle: Holdings{Descriptors: 21}}
	r.Verification.Checked, r.Counts.OK = 1, 1
	for i := range n {
		u := holds(i)
		r.Cycles = append(r.Cycles, SoakCycle{Holdings: u, readings: []Holdings{u, u, u}})
	}
	return r
}

// TestSoakFindsLeaks plants what a soak is for.
func TestSoakFindsLeaks(t *testing.T) {
	sound := Holdings{PrivateDirty: 10 << 20, Heap: 3 << 20, Descriptors: 121, Goroutines: 13, Pipes: 4}
	for name, c := range map[string]struct {
		holds func(u *Holdings, cycle int)
		want  string
	}{
		"sound":                      {func(*Holdings, int) {}, ""},
		"less is no fault":           {func(u *Holdings, n int) { u.PrivateDirty -= int64(n) << 10 }, ""},
		"a reading that stands out":  {func(u *Holdings, n int) { u.PrivateDirty += int64(n%7/6) << 22 }, ""},
		"20 KiB for each failover":   {func(u *Holdings, n int) { u.PrivateDirty += int64(n) * 20 << 10 }, "private dirty"},
		"4 KiB of heap for each":     {func(u *Holdings, n int) { u.Heap += int64(n) * 4 << 10 }, "heap"},
		"a descriptor in ten":        {func(u *Holdings, n int) { u.Descriptors += int64(n / 10) }, "descriptors back to the base line within"},
		"a goroutine once":           {func(u *Holdings, n int) { u.Goroutines += int64(n / 100) }, "goroutines back"},
		"pipes that come back late":  {func(u *Holdings, n int) { u.Pipes += int64(n % 90 / 89) }, "pipes back to the base line after"},
		"a pipe that stays occupied": {func(u *Holdings, n int) { u.PipesInUse = int64(n / 60) }, "pipes in use"},
	} {
		r := soakOf(180, func(n int) Holdings {
			u := sound
			c.holds(&u, n)
			return u
		})
		r.judge(&Report{ClientsAfter: 50})
		var broken []string
		for _, p := range r.Broken() {
			broken = append(broken, p.Text)
		}
		if got := strings.Join(broken, ", "); (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: got %q broken, want %q", name, got, c.want)
		}
	}
}

func TestSoakFindsDescriptorsOfGoneClients(t *testing.T) {
	r := soakOf(40, func(int) Holdings { return Holdings{Descriptors: 121} })
	r.Idle.Descriptors = 22
	r.judge(&Report{ClientsAfter: 50})
	if got := r.Broken(); len(got) != 1 || got[0].Text != "no descriptor stays behind the clients" {
		t.Errorf("got %v, want the descriptor that stayed", got)
	}
}
