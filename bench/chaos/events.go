package chaos

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// events shortens the daemon's log to what was said since a time, one line each, with seconds from then.
func events(log string, since time.Time) string {
	var b strings.Builder
	for line := range strings.Lines(log) {
		var e struct {
			Time    time.Time `json:"time"`
			Level   string    `json:"level"`
			Msg     string    `json:"msg"`
			Epoch   uint64    `json:"epoch"`
			Backend string    `json:"backend"`
		}
		if json.Unmarshal([]byte(line), &e) != nil {
			fmt.Fprintf(&b, "    %s\n", strings.TrimSpace(line)) // a panic is no JSON
			continue
		}
		if !e.Time.Before(since) {
			fmt.Fprintf(&b, "    %7.3f %s %s (epoch %d, %s)\n", e.Time.Sub(since).Seconds(), e.Level, e.Msg, e.Epoch, e.Backend)
		}
	}
	return b.String()
}
