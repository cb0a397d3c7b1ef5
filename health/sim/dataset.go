package sim

import "strconv"

// opKind is what an operation of the stream does.
type opKind uint8

const (
	opPing opKind = iota
	opSet
	opIncr
	opPush
	opPop
)

// key names a value: kind is the letter and n the number of the key's text.
type key struct {
	kind byte
	n    int32
	db   int8
}

// operation is one entry of the replication stream.
//
// joined operations of one block travel and are applied together with the one before, as MULTI and EXEC in the stream have it.
type operation struct {
	kind   opKind
	joined bool
	key    key
	value  int64
}

// dataset is the data of one node: each key has a list of numbers, of which a register or a counter has one.
//
// Invariant: a list that another dataset may share is only replaced, or appended to beyond its capacity.
type dataset map[key][]int64

// clone is cheap: the lists are shared.
func (d dataset) clone() dataset {
	c := make(dataset, len(d))
	for k, list := range d {
		c[k] = list[:len(list):len(list)]
	}
	return c
}

func (d dataset) apply(op operation) {
	switch op.kind {
	case opSet:
		d[op.key] = []int64{op.value}
	case opIncr:
		d[op.key] = []int64{d.number(op.key) + 1}
	case opPush:
		d[op.key] = append(d[op.key], op.value)
	case opPop:
		if list := d[op.key]; len(list) > 0 {
			d[op.key] = list[1:]
		}
	}
}

// number is the value of a register or counter; a key that does not exist is 0.
func (d dataset) number(k key) int64 {
	if list := d[k]; len(list) > 0 {
		return list[0]
	}
	return 0
}

// parseKey reads "r12".
func parseKey(text []byte, db int8) key {
	n, _ := strconv.Atoi(string(text[1:]))
	return key{kind: text[0], n: int32(n), db: db}
}
