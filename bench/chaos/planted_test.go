package chaos

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

const sourceRoot = "../.."

// TestPlantsFitTheSource: a bug that cannot be planted any more must be told anew, not forgotten.
func TestPlantsFitTheSource(t *testing.T) {
	for _, p := range plants() {
		texts := make(map[string]string)
		for _, e := range p.edits {
			if texts[e.file] == "" {
				data, err := os.ReadFile(filepath.Join(sourceRoot, e.file))
				if err != nil {
					t.Fatal(err)
				}
				texts[e.file] = string(data)
			}
			text, err := e.apply(texts[e.file])
			if err != nil {
				t.Errorf("%s: %v", p.name, err)
			}
			texts[e.file] = text
		}
	}
}

func TestPlantRefusesTextThatIsGone(t *testing.T) {
	for _, text := range []string{"", "old old"} {
		if _, err := (edit{"a.go", "old", "new"}).apply(text); !errors.Is(err, errSource) {
			t.Errorf("got %v for %q, want %v", err, text, errSource)
		}
	}
}

// TestPlantedBugIsCaught builds Holdfast with the bug that shows fastest, and with one that a receipt could excuse; 'make planted' does
// all.
func TestPlantedBugIsCaught(t *testing.T) {
	if testing.Short() {
		t.Skip("builds Holdfast anew")
	}
	root, err := filepath.Abs(sourceRoot)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range plants() {
		if p.name != "forget-select" && p.name != "no-drain" {
			continue
		}
		path, err := p.build(t.Context(), root, t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		if err := p.hunt(t.Context(), path, Options{Seed: 3}, io.Discard); err != nil {
			t.Error(err)
		}
	}
}
