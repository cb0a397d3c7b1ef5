package admin

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Phase is one part of a failover and how long it took in milliseconds.
type Phase struct {
	Name string
	MS   float64
}

// Phases lists the parts of a failover in the order in which they happened, the last one being "total".
//
// In JSON it is an object whose keys keep that order, because a reader should see the story and not the alphabet.
type Phases []Phase

// PhaseTotal is the name of the phase that spans all others. Phases may overlap, so it is not their sum.
const PhaseTotal = "total"

// Total returns the length of the whole failover in milliseconds, or 0 if it is not recorded.
func (p Phases) Total() float64 {
	for _, phase := range p {
		if phase.Name == PhaseTotal {
			return phase.MS
		}
	}
	return 0
}

// MarshalJSON writes the phases as one object, in order.
func (p Phases) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, phase := range p {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := json.Marshal(phase.Name)
		if err != nil {
			return nil, fmt.Errorf("encode phase %q: %w", phase.Name, err)
		}
		ms, err := json.Marshal(phase.MS)
		if err != nil {
			return nil, fmt.Errorf("encode phase %q: %w", phase.Name, err)
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(ms)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// UnmarshalJSON reads what MarshalJSON wrote and keeps the order of the keys.
func (p *Phases) UnmarshalJSON(data []byte) error {
	*p = nil
	dec := json.NewDecoder(bytes.NewReader(data))
	open, err := dec.Token()
	if err != nil {
		return fmt.Errorf("decode phases: %w", err)
	}
	if open == nil {
		return nil
	}
	if open != json.Delim('{') {
		return fmt.Errorf("decode phases: got %v, want an object", open)
	}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return fmt.Errorf("decode phases: %w", err)
		}
		phase := Phase{Name: key.(string)}
		if err := dec.Decode(&phase.MS); err != nil {
			return fmt.Errorf("decode phase %q: %w", phase.Name, err)
		}
		*p = append(*p, phase)
	}
	return nil
}
