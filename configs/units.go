package configs

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Duration is a time with its unit in the text: "100ms", "1s", "1m30s".
type Duration time.Duration

// Std is the duration as the standard library has it.
func (d Duration) Std() time.Duration { return time.Duration(d) }

// String writes the shortest form that reads back as the same value: "1m", not "1m0s".
func (d Duration) String() string {
	s := time.Duration(d).String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// MarshalText writes what UnmarshalText reads.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText accepts a number with a unit. A bare number is refused, because one system's seconds are another
// system's milliseconds.
func (d *Duration) UnmarshalText(text []byte) error {
	s := string(text)
	if _, err := strconv.ParseFloat(s, 64); err == nil {
		return fmt.Errorf(`has no unit, write "%ss" or "%sms"`, s, s)
	}
	v, err := time.ParseDuration(s)
	if err != nil {
		return fmt.Errorf(`is no duration, write a number and a unit (ms, s, m, h) as in "100ms"`)
	}
	*d = Duration(v)
	return nil
}

// Size is a number of bytes with its unit in the text: "64KiB", "10MB".
type Size int64

// sizeUnits are the units a size may carry, largest first so that String finds the largest that divides.
func sizeUnits() []sizeUnit {
	return []sizeUnit{
		{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10},
		{"TB", 1e12}, {"GB", 1e9}, {"MB", 1e6}, {"KB", 1e3}, {"kB", 1e3}, {"B", 1},
	}
}

type sizeUnit struct {
	name  string
	bytes int64
}

// Bytes is the plain number.
func (s Size) Bytes() int64 { return int64(s) }

// String writes the size in the largest unit that loses nothing.
func (s Size) String() string {
	for _, u := range sizeUnits() {
		if s != 0 && int64(s)%u.bytes == 0 {
			return strconv.FormatInt(int64(s)/u.bytes, 10) + u.name
		}
	}
	return "0B"
}

// MarshalText writes what UnmarshalText reads.
func (s Size) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText accepts a whole number with a unit. KiB is 1024 bytes, KB is 1000.
func (s *Size) UnmarshalText(text []byte) error {
	word := string(text)
	if _, err := strconv.ParseFloat(word, 64); err == nil {
		return fmt.Errorf(`has no unit, write "%sB", "%sKiB" or "%sMiB"`, word, word, word)
	}
	for _, u := range sizeUnits() {
		digits, ok := strings.CutSuffix(word, u.name)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSpace(digits), 10, 64)
		if err != nil || n > (1<<63-1)/u.bytes || n < -(1<<63-1)/u.bytes {
			break
		}
		*s = Size(n * u.bytes)
		return nil
	}
	return fmt.Errorf(`is no size, write a whole number and a unit (B, KiB, MiB, GiB, KB, MB, GB) as in "1MiB"`)
}
