package admin

import (
	"encoding/json"
	"slices"
	"testing"
)

func TestPhasesKeepTheirOrder(t *testing.T) {
	want := Phases{{"detect", 1.25}, {"cut", 0.5}, {"drain", 3}, {"total", 4.75}}
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatalf("marshal: %v", err)
	}
	if got, want := string(text), `{"detect":1.25,"cut":0.5,"drain":3,"total":4.75}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	var got Phases
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatalf("unmarshal: %v", err)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got, want := want.Total(), 4.75; got != want {
		t.Errorf("total: got %v, want %v", got, want)
	}
}

func FuzzPhases(f *testing.F) {
	for _, seed := range []string{`{}`, `null`, `{"a":1,"b":2}`, `{"a":"x"}`, `[1]`, `{"a":`, `{"a":1e999}`, `7`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var p Phases
		if err := json.Unmarshal([]byte(text), &p); err != nil {
			return
		}
		again, err := json.Marshal(p)
		if err != nil {
			t.Fatalf("marshal %v: %v", p, err)
		}
		var q Phases
		if err := json.Unmarshal(again, &q); err != nil || !slices.Equal(p, q) {
			t.Errorf("%q: got %v, want %v: %v", text, q, p, err)
		}
	})
}
