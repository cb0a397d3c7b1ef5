package configs

import (
	"encoding"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// table is one TOML table while it is read. Each of its read methods leaves the destination as it is, that is at its
// default, when the key is missing or wrong; done refuses the keys that nobody asked for.
type table struct {
	path   string
	values map[string]any
	known  []string
	out    *faults
}

// text reads a string of any named kind.
func text[T ~string](t *table, key string, dst *T) {
	if v, ok := take[string](t, key, `a string in quotes`); ok {
		*dst = T(v)
	}
}

// texts reads a list of strings. An empty list is a value: it replaces the default.
func texts[T ~string](t *table, key string, dst *[]T) {
	list, ok := take[[]any](t, key, `a list of strings, ["...", "..."]`)
	if !ok {
		return
	}
	words := make([]T, 0, len(list))
	for i, v := range list {
		word, ok := v.(string)
		if !ok {
			t.out.add(index(join(t.path, key), i), written(v), "is "+kindOf(v), "a string in quotes")
		}
		words = append(words, T(word)) // a wrong one too, so that the indices stay those of the file
	}
	*dst = words
}

// number reads a whole number.
func (t *table) number(key string, dst *int) {
	if v, ok := take[int64](t, key, "a whole number"); ok {
		*dst = int(v)
	}
}

// unit reads a duration or a size. A number without a unit gets the text of the unit's own UnmarshalText.
func (t *table) unit(key string, dst encoding.TextUnmarshaler) {
	t.known = append(t.known, key)
	v, ok := t.values[key]
	if !ok {
		return
	}
	word := fmt.Sprint(v)
	switch v.(type) {
	case string, int64, float64:
		if err := dst.UnmarshalText([]byte(word)); err != nil {
			t.out.add(join(t.path, key), written(v), err.Error(), "")
		}
	default:
		t.out.add(join(t.path, key), written(v), "is "+kindOf(v), `a number with its unit, in quotes`)
	}
}

// sub reads a nested table; a missing one is an empty one.
func (t *table) sub(key string) *table {
	v, _ := take[map[string]any](t, key, "a table, ["+join(schemaOf(t.path), key)+"]")
	return &table{path: join(t.path, key), values: v, out: t.out}
}

// subs reads an array of tables.
func (t *table) subs(key, want string) []*table {
	t.known = append(t.known, key)
	path := join(t.path, key)
	var list []*table
	switch v := t.values[key].(type) {
	case nil:
	case []map[string]any:
		for i, m := range v {
			list = append(list, &table{path: index(path, i), values: m, out: t.out})
		}
	case []any:
		for i, e := range v {
			m, ok := e.(map[string]any)
			element := index(path, i)
			if !ok {
				t.out.add(element, written(e), "is "+kindOf(e), want)
			}
			list = append(list, &table{path: element, values: m, out: t.out})
		}
	default:
		t.out.add(path, written(v), "is "+kindOf(v), want)
	}
	return list
}

// done refuses every key that was not read.
func (t *table) done() {
	for _, key := range slices.Sorted(maps.Keys(t.values)) {
		if !slices.Contains(t.known, key) {
			t.out.add(join(t.path, key), written(t.values[key]), t.hint(key), strings.Join(t.known, ", "))
		}
	}
}

// hint says what an unknown key was probably meant to be: a misspelt one of this table, or one that belongs to
// another table, which happens to every key that is written below the wrong header.
func (t *table) hint(key string) string {
	if near, ok := nearest(key, t.known); ok {
		return fmt.Sprintf("is an unknown key, did you mean %q?", near)
	}
	for _, path := range schema() {
		if path == key || strings.HasSuffix(path, "."+key) {
			return fmt.Sprintf("is an unknown key here, did you mean %q?", path)
		}
	}
	return "is an unknown key"
}

// take reads the value of key as a T; want says what that is.
func take[T any](t *table, key, want string) (T, bool) {
	t.known = append(t.known, key)
	var none T
	v, ok := t.values[key]
	if !ok {
		return none, false
	}
	typed, ok := v.(T)
	if !ok {
		t.out.add(join(t.path, key), written(v), "is "+kindOf(v), want)
	}
	return typed, ok
}

// valueShownMax is how many bytes of a value a fault repeats: enough to find it, and still a line.
const valueShownMax = 80

// written is a value roughly as the file has it.
func written(v any) string {
	switch v := v.(type) {
	case string:
		return quote(v)
	case map[string]any, []map[string]any:
		return "{...}"
	case []any:
		return "[...]"
	}
	return fmt.Sprint(v)
}

func quote(s string) string {
	if len(s) > valueShownMax {
		s = s[:valueShownMax] + "..."
	}
	return fmt.Sprintf("%q", s)
}

func kindOf(v any) string {
	switch v.(type) {
	case string:
		return "a string"
	case int64:
		return "a number"
	case float64:
		return "a number with a fraction"
	case bool:
		return "true or false"
	case time.Time:
		return "a date"
	case map[string]any:
		return "a table"
	}
	return "a list"
}
