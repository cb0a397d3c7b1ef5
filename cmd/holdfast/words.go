package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"

	"holdfast/admin"
	"holdfast/proxy"
)

// count writes "1 pool" and "2 pools".
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// bytesText writes a size the way people say it: exact below a kibibyte, then with one decimal.
func bytesText(n int64) string {
	const unit = 1024
	switch {
	case n < 0:
		return "-"
	case n < unit:
		return fmt.Sprintf("%d B", n)
	case n < unit*unit:
		return fmt.Sprintf("%.1f KiB", float64(n)/unit)
	case n < unit*unit*unit:
		return fmt.Sprintf("%.1f MiB", float64(n)/(unit*unit))
	default:
		return fmt.Sprintf("%.1f GiB", float64(n)/(unit*unit*unit))
	}
}

// age writes how long ago something was with its two largest units: 42s, 3m12s, 5h07m, 12d4h.
func age(d time.Duration) string {
	d = max(d, 0)
	seconds := int64(d / time.Second)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", seconds)
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", seconds/60, seconds%60)
	case d < 24*time.Hour:
		return fmt.Sprintf("%dh%02dm", seconds/3600, seconds/60%60)
	default:
		return fmt.Sprintf("%dd%dh", seconds/86400, seconds/3600%24)
	}
}

// millis writes milliseconds: three significant digits are all that a failover's phases mean.
func millis(ms float64) string {
	switch {
	case ms < 10:
		return fmt.Sprintf("%.1f ms", ms)
	case ms < 10_000:
		return fmt.Sprintf("%.0f ms", ms)
	default:
		return fmt.Sprintf("%.1f s", ms/1000)
	}
}

// phasesText names the unit once, so that the line fits a terminal.
func phasesText(phases admin.Phases) string {
	parts := make([]string, 0, len(phases))
	for _, p := range phases {
		if p.Name != admin.PhaseTotal {
			parts = append(parts, fmt.Sprintf("%s %.1f", p.Name, p.MS))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return strings.Join(parts, ", ") + " ms"
}

func cutText(cut admin.Cut) string {
	return fmt.Sprintf("%d never sent, %d refused, %d retried, %d unknown, %d aborted",
		cut.NeverSent, cut.Refused, cut.Retried, cut.Unknown, cut.Aborted)
}

// printable replaces what could steer a terminal: names and error texts can come from an attacker's server.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return ' '
		}
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
}

// wrap breaks text at spaces so that no line is wider than width, and begins each line with indent. A word that is too
// long stays whole, because a cut address cannot be copied.
func wrap(text, indent string, width int) string {
	var b strings.Builder
	column := 0
	for _, word := range strings.Fields(text) {
		switch size := len([]rune(word)); {
		case column == 0:
			b.WriteString(indent + word)
			column = len(indent) + size
		case column+1+size > width:
			b.WriteString("\n" + indent + word)
			column = len(indent) + size
		default:
			b.WriteString(" " + word)
			column += 1 + size
		}
	}
	return b.String()
}

// closedText lists the connections that ended otherwise than by the client's own wish or with the daemon; empty: there are none.
func closedText(closed map[string]uint64) string {
	var parts []string
	for _, reason := range slices.Sorted(maps.Keys(closed)) {
		ordinary := reason == proxy.ClosedByClient.String() || reason == proxy.ClosedByQuit.String() || reason == proxy.ClosedShutdown.String()
		if n := closed[reason]; n > 0 && !ordinary {
			parts = append(parts, fmt.Sprintf("%d %s", n, reason))
		}
	}
	return strings.Join(parts, ", ")
}
