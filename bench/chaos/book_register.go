package chaos

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/anishathalye/porcupine"
)

const (
	// registerKeys is how many keys the clients share: few, so that they meet, and several, so that a key has hundreds of
	// operations in a cycle and not thousands, which a linearizability checker cannot take.
	registerKeys = 5
	// linearMax bounds the search for one key. A search that does not end says nothing and is counted.
	linearMax = 5 * time.Second
)

// registerBook writes unique values over shared keys and reads them.
type registerBook struct {
	mu   sync.Mutex // guards the rest
	tag  string
	next int
	ops  [registerKeys][]porcupine.Operation
}

// touch is the input of one operation on a register.
type touch struct {
	kind  byte // 'w', 'r', or 'f' for a failover
	value string
	acked bool // 'w': the client was told that it was executed
	back  int  // 'f': how many acknowledged writes it may take along
}

func (b *registerBook) begin(tag string) {
	b.tag, b.next = tag, 0
	b.ops = [registerKeys][]porcupine.Operation{}
}

func (b *registerBook) key(i int) string { return "register:" + b.tag + ":" + strconv.Itoa(i) }

func (b *registerBook) turn(c *client) {
	i := c.rng.IntN(registerKeys)
	if c.rng.IntN(2) == 0 {
		a := c.one("GET", b.key(i))
		if a.outcome == ok {
			b.add(i, c.id, touch{kind: 'r'}, a.value.text, a)
		}
		return
	}
	b.mu.Lock()
	b.next++
	value := c.name + ":" + strconv.Itoa(b.next)
	b.mu.Unlock()
	if a := c.one("SET", b.key(i), value); a.outcome != fail {
		b.add(i, c.id, touch{kind: 'w', value: value, acked: a.outcome == ok}, "", a)
	}
}

func (b *registerBook) add(key, client int, in touch, out string, a answer) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ops[key] = append(b.ops[key], porcupine.Operation{ClientId: client, Input: in, Call: a.call, Output: out, Return: a.ret})
}

func (b *registerBook) check(final *wire, j *judge) error {
	for i := range b.ops {
		v, err := final.must("GET", b.key(i))
		if err != nil {
			return err
		}
		history := b.ops[i]
		if j.flushed != (span{}) {
			history = append(history, porcupine.Operation{ClientId: -3, Input: touch{kind: 'w', acked: true}, Output: "", Call: j.flushed.call,
				Return: j.flushed.ret})
		}
		history = append(history, porcupine.Operation{ClientId: -1, Input: touch{kind: 'r'}, Output: v.text, Call: never - 1, Return: never})
		j.ops += len(history)
		b.judge(b.key(i), history, j)
	}
	return nil
}

// judge looks for an order of the operations on one key that explains every reply. After a promotion the failover is one more
// operation, which may bring an older value back, as far as the receipts declare it.
func (b *registerBook) judge(key string, history []porcupine.Operation, j *judge) {
	j.verdicts.checked(I5, len(history))
	switch porcupine.CheckOperationsTimeout(registerModel(), history, linearMax) {
	case porcupine.Ok:
		return
	case porcupine.Unknown:
		j.undecided++
		return
	}
	if j.promotions > 0 {
		for _, back := range []int{0, j.rollback} {
			switch porcupine.CheckOperationsTimeout(rollbackModel(), withFailovers(history, j, back), linearMax) {
			case porcupine.Ok:
				if back > 0 {
					j.lose(never, "%s went back to an older value", key)
				} else {
					j.dirty++
				}
				return
			case porcupine.Unknown:
				j.undecided++
				return
			}
		}
	}
	j.verdicts.broken(I5, "%s is not linearizable: %d operations, %d writes at risk%s: %s", key, len(history), j.rollback,
		b.suspect(key, history, j), b.around(history, j.window))
}

// withFailovers adds one operation for each promotion of the cycle.
func withFailovers(history []porcupine.Operation, j *judge, back int) []porcupine.Operation {
	history = slices.Clone(history)
	for range j.promotions {
		history = append(history, porcupine.Operation{ClientId: -2, Input: touch{kind: 'f', back: back}, Output: "",
			Call: j.window[0], Return: j.window[1]})
	}
	return history
}

// aroundMax is how many operations around a fault a finding quotes.
const aroundMax = 40

// around lists what was under way while the fault was, with times in ms from its beginning.
func (b *registerBook) around(history []porcupine.Operation, window [2]int64) string {
	var text strings.Builder
	n := 0
	for _, op := range history {
		if op.Return < window[0]-int64(5*time.Millisecond) || op.Call > window[1] || n == aroundMax {
			continue
		}
		n++
		in, end := op.Input.(touch), "?"
		if op.Return < never {
			end = strconv.FormatInt((op.Return-window[0])/1000, 10)
		}
		fmt.Fprintf(&text, " [%d..%s us %c %s%s]", (op.Call-window[0])/1000, end, in.kind, in.value, op.Output)
	}
	return text.String()
}

// suspect names a value that was read and that nobody wrote, which explains much.
func (b *registerBook) suspect(key string, history []porcupine.Operation, j *judge) string {
	wrote := map[string]bool{"": true}
	for _, op := range history {
		if in := op.Input.(touch); in.kind == 'w' {
			wrote[in.value] = true
		}
	}
	for _, op := range history {
		out, isText := op.Output.(string)
		if isText && strings.HasPrefix(out, zombieMark) {
			j.verdicts.broken(I7, "%s: a client read what was written to a node out of office", key)
		}
		if isText && op.Input.(touch).kind == 'r' && !wrote[out] {
			return fmt.Sprintf("; %q was read and is no value of this key", out)
		}
	}
	return ""
}

// registerModel is a register that begins empty.
func registerModel() porcupine.Model {
	return porcupine.Model{
		Init: func() any { return "" },
		Step: func(state, input, output any) (bool, any) {
			in := input.(touch)
			if in.kind == 'w' {
				return true, in.value
			}
			return output.(string) == state.(string), state
		},
	}
}
