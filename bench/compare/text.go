package compare

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// line is an outcome for whoever waits for the next one.
func (o Outcome) line() string {
	var parts []string
	for _, g := range o.Groups {
		name := "no retry"
		if g.Retry {
			name = "retry"
		}
		parts = append(parts, fmt.Sprintf("%s: %d requests, errors %s, disconnects %d, lost %d, duplicates %d", name, g.Requests,
			errorText(g.Errors), g.Disconnects, g.Lost, g.Duplicates))
	}
	text := fmt.Sprintf("%s, %s: gap %s, last client %s; %s", o.Fault, o.Contender, span(o.Gap), span(o.LastClient), strings.Join(parts, "; "))
	if o.Why != "" {
		text += "; " + o.Why
	}
	return text
}

// errorText lists errors by class, the most frequent first.
func errorText(classes map[string]int) string {
	names := slices.SortedFunc(maps.Keys(classes), func(a, b string) int {
		return cmp.Or(cmp.Compare(classes[b], classes[a]), cmp.Compare(a, b))
	})
	var parts []string
	for _, name := range names {
		parts = append(parts, fmt.Sprintf("%d %s", classes[name], name))
	}
	if len(parts) == 0 {
		return "0"
	}
	return strings.Join(parts, ", ")
}

// span shows milliseconds as people compare them.
func span(ms float64) string {
	switch {
	case ms >= 1000:
		return fmt.Sprintf("%.2f s", ms/1000)
	case ms >= 10:
		return fmt.Sprintf("%.0f ms", ms)
	default:
		return fmt.Sprintf("%.2f ms", ms)
	}
}
