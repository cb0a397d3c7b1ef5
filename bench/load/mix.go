package load

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
)

// ErrMix is returned when a mix is not a list of kinds and weights.
var ErrMix = errors.New("faulty mix")

// Kind is what one request does.
type Kind uint8

const (
	// Get reads a small value.
	Get Kind = iota
	// Set writes a small value.
	Set
	// Pipeline is several GET and SET in one write; it is answered when the last of them is.
	Pipeline
	// Big reads or writes, in turn, a large value.
	Big
	// PubSub publishes a message. How long it takes to its subscribers is a latency of its own.
	PubSub
	// Blocking pushes a job for which another connection waits with BLPOP. How long it takes there is a latency of its own.
	Blocking
	// Transaction is MULTI to EXEC in one write.
	Transaction
	// Script is an EVAL that counts.
	Script
	kinds
)

var kindNames = [kinds]string{"get", "set", "pipeline", "big", "pubsub", "blocking", "transaction", "script"}

// String is the kind as a mix spells it.
func (k Kind) String() string { return kindNames[k] }

// Mix is how often each kind comes, as weights.
type Mix [kinds]int

// weightMax keeps the sum of all weights an int, whatever is typed.
const weightMax = 1_000_000

// MixDefault is a cache: mostly reads, some writes, a few pipelines.
func MixDefault() Mix { return Mix{Get: 80, Set: 15, Pipeline: 5} }

// ParseMix reads "get=80,set=15,pipeline=5". A kind without a weight weighs one.
func ParseMix(text string) (Mix, error) {
	var m Mix
	var errs []error
	for part := range strings.SplitSeq(text, ",") {
		name, weight, given := strings.Cut(strings.TrimSpace(part), "=")
		k, err := kindOf(name)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		n := 1
		if given {
			if n, err = strconv.Atoi(weight); err != nil || n < 0 || n > weightMax {
				errs = append(errs, fmt.Errorf("%w: weight %q of %s: want 0 to %d", ErrMix, weight, name, weightMax))
				continue
			}
		}
		m[k] += n
	}
	if len(errs) == 0 && m.sum() == 0 {
		errs = append(errs, fmt.Errorf("%w: %q weighs nothing", ErrMix, text))
	}
	return m, errors.Join(errs...)
}

func kindOf(name string) (Kind, error) {
	for k, have := range kindNames {
		if have == name {
			return Kind(k), nil
		}
	}
	return 0, fmt.Errorf("%w: no kind %q; there are %s", ErrMix, name, strings.Join(kindNames[:], ", "))
}

// String is the mix as ParseMix reads it.
func (m Mix) String() string {
	var parts []string
	for k, n := range m {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%s=%d", Kind(k), n))
		}
	}
	return strings.Join(parts, ",")
}

func (m Mix) sum() int {
	sum := 0
	for _, n := range m {
		sum += n
	}
	return sum
}

// pick draws a kind by its weight.
func (m Mix) pick(rng *rand.Rand) Kind {
	at := rng.IntN(m.sum())
	for k, n := range m {
		if at < n {
			return Kind(k)
		}
		at -= n
	}
	return Get // unreachable: at is below the sum of the weights
}
