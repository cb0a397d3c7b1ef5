package conformance

import (
	"errors"
	"fmt"
	"strings"
)

// errMode is returned when a mode has another name than those of modeNames.
var errMode = errors.New("unknown mode")

// Mode is what stands between a suite and its server.
type Mode uint8

const (
	// Direct is the yardstick: nothing is in between.
	Direct Mode = iota
	// Through is Holdfast in front of one server, with no command denied.
	Through
	// Failover is Holdfast in front of a pair whose master is killed every few seconds and comes back as the replica.
	Failover
	// Guarded is Through with the commands denied that are denied by default. What fails then is named and no fault.
	Guarded
)

func modeNames() []string { return []string{"direct", "through", "failover", "guarded"} }

// String is the mode as flags and reports spell it.
func (m Mode) String() string { return modeNames()[m] }

// MarshalText makes the mode a word in JSON.
func (m Mode) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText reads such a word.
func (m *Mode) UnmarshalText(text []byte) error {
	parsed, err := ParseMode(string(text))
	*m = parsed
	return err
}

// ParseMode reads a mode from a flag.
func ParseMode(text string) (Mode, error) {
	for i, name := range modeNames() {
		if name == text {
			return Mode(i), nil
		}
	}
	return Direct, fmt.Errorf("mode %q: %w; there are %s", text, errMode, strings.Join(modeNames(), ", "))
}
