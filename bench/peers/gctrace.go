package peers

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// pauses are the stops of a Go process that its collector reported since some moment.
type pauses struct {
	Collections int
	Largest     time.Duration
}

// pausesSince reads what GODEBUG=gctrace=1 wrote to a log from offset on.
func pausesSince(path string, offset int64) (pauses, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return pauses{}, fmt.Errorf("read collector trace: %w", err)
	}
	return parseGCTrace(data[min(offset, int64(len(data))):]), nil
}

// parseGCTrace finds the lines "gc 7 @1.2s 0%: 0.03+0.21+0.01 ms clock, ...". The first and the last of the three terms stop
// the world; the one between them runs beside the program. Other lines of the log are skipped.
func parseGCTrace(data []byte) pauses {
	var p pauses
	for line := range bytes.Lines(data) {
		text := string(line)
		if !strings.HasPrefix(text, "gc ") {
			continue
		}
		_, clock, found := strings.Cut(text, ": ")
		clock, _, isClock := strings.Cut(clock, " ms clock")
		terms := strings.Split(clock, "+")
		if !found || !isClock || len(terms) != 3 {
			continue
		}
		p.Collections++
		p.Largest = max(p.Largest, milliseconds(terms[0]), milliseconds(terms[2]))
	}
	return p
}

func milliseconds(s string) time.Duration {
	ms, err := strconv.ParseFloat(s, 64)
	if err != nil || ms < 0 || ms > 1e9 {
		return 0
	}
	return time.Duration(ms * float64(time.Millisecond))
}
