package chart

import (
	"bytes"
	"errors"
	"math"
	"regexp"
	"strings"
	"testing"
)

func page() Page {
	return Page{
		Title: "A <b>title</b>", Intro: []string{"why"},
		Sections: []Section{{
			Title: "kill", Text: []string{"text"},
			Tables: []Table{{Head: []string{"who", "gap"}, Rows: [][]string{{"holdfast", "7 ms"}}}},
			Charts: []Chart{{Title: "over time", XLabel: "s", YLabel: "/s", X: []Value{0, 1}, Lines: []Series{
				{Name: "</script>", Values: []Value{1.5, Value(math.NaN())}},
			}}},
		}},
	}
}

// TestPageNeedsNoNetwork looks for anything that a browser would fetch.
func TestPageNeedsNoNetwork(t *testing.T) {
	var b bytes.Buffer
	if err := Write(&b, page()); err != nil {
		t.Fatal(err)
	}
	for _, fetch := range []string{`<link`, `src=`, `@import`, `url\(`, `fetch\(`, `XMLHttpRequest`, `import\(`} {
		if got := regexp.MustCompile(fetch).FindString(b.String()); got != "" {
			t.Errorf("got %q in the page, want nothing that is fetched", got)
		}
	}
	for _, want := range []string{"new uPlot(options", "7 ms", "MIT License", `"values":[1.5,null]`} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("got a page without %q", want)
		}
	}
}

// TestPageEscapes puts markup where words belong.
func TestPageEscapes(t *testing.T) {
	var b bytes.Buffer
	if err := Write(&b, page()); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(b.String(), "<b>title</b>") {
		t.Error("got the title as markup, want it as text")
	}
	if got, want := strings.Count(b.String(), "</script>"), 2; got != want {
		t.Errorf("got %d ends of a script, want %d", got, want)
	}
}

func TestUnevenSeriesIsRefused(t *testing.T) {
	p := page()
	p.Sections[0].Charts[0].X = []Value{0, 1, 2}
	if err := Write(&bytes.Buffer{}, p); !errors.Is(err, ErrUneven) {
		t.Errorf("got %v, want %v", err, ErrUneven)
	}
}
