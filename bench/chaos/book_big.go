package chaos

import (
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"
	"sync"
)

// bigSizes are bodies around the sizes at which a proxy changes its way of moving them, in bytes.
func bigSizes() []int {
	sizes := []int{0, 1}
	for _, border := range []int{16 << 10, 32 << 10, 64 << 10, 128 << 10, 1 << 20} {
		sizes = append(sizes, border-40, border-1, border, border+1)
	}
	return sizes
}

// bigBook writes and reads values whose every byte is checked. Each client has keys of its own.
type bigBook struct {
	mu    sync.Mutex // guards the rest
	tag   string
	next  int
	maybe map[string][]int // by key: the last acknowledged write and later ones of unknown outcome
	acked map[string]int64
}

func (b *bigBook) begin(tag string) {
	b.tag, b.next = tag, 0
	b.maybe, b.acked = make(map[string][]int), make(map[string]int64)
}

// bigKeys is how many keys a client overwrites in turn.
const bigKeys = 2

func (b *bigBook) turn(c *client) {
	key := fmt.Sprintf("big:%s:%d:%d", b.tag, c.id, c.rng.IntN(bigKeys))
	if c.rng.IntN(2) == 0 {
		if a := c.one("GET", key); a.outcome == ok {
			b.mu.Lock()
			defer b.mu.Unlock()
			c.crew.tally.checked(I2, 1)
			if why := b.readLocked(key, a.value); why != "" {
				c.crew.tally.broken(I2, "%s: %s: %s", c.name, key, why)
			}
		}
		return
	}
	b.mu.Lock()
	b.next++
	id := b.next
	b.mu.Unlock()
	sizes := bigSizes()
	a := c.one("SET", key, bigValue(id, sizes[c.rng.IntN(len(sizes))]))
	b.mu.Lock()
	defer b.mu.Unlock()
	switch a.outcome {
	case ok:
		b.maybe[key], b.acked[key] = []int{id}, a.ret
	case unknown, hung:
		b.maybe[key] = append(b.maybe[key], id)
	}
}

// readLocked says what is wrong with a value that was read: broken, or another than those it may be.
func (b *bigBook) readLocked(key string, v value) string {
	id, why := bigID(v)
	if why != "" {
		return why
	}
	maybe := b.maybe[key]
	if len(maybe) == 0 && id == 0 || id == 0 && b.acked[key] == 0 {
		return ""
	}
	for i, have := range maybe {
		if have == id {
			b.maybe[key] = append([]int{id}, maybe[i+1:]...)
			return ""
		}
	}
	if len(maybe) > 0 && id < maybe[0] {
		return "" // an older value: the final check counts it as lost
	}
	return fmt.Sprintf("got write %d, want one of %v", id, maybe)
}

func (b *bigBook) check(final *wire, j *judge) error {
	for key, maybe := range b.maybe {
		v, err := final.must("GET", key)
		if err != nil {
			return err
		}
		j.ops++
		j.verdicts.checked(I2, 1)
		id, why := bigID(v)
		if why != "" {
			j.verdicts.broken(I2, "%s: %s", key, why)
			continue
		}
		found := id == 0 && b.acked[key] <= j.flushed.ret
		for _, have := range maybe {
			found = found || have == id
		}
		if !found {
			j.lose(b.acked[key], "%s holds write %d, want one of %v", key, id, maybe)
		}
	}
	return nil
}

// bigValue is the value of one write: its number, a checksum, and a body that no other write has.
func bigValue(id, size int) string {
	head := strconv.Itoa(id) + ":"
	unit := strconv.Itoa(id*7919) + "."
	body := strings.Repeat(unit, size/len(unit)+1)[:size]
	return fmt.Sprintf("%s%08x:%s", head, crc32.ChecksumIEEE([]byte(body)), body)
}

// bigID checks every byte of a value and returns which write it is; 0 is none.
func bigID(v value) (id int, why string) {
	if v.null {
		return 0, ""
	}
	head, rest, _ := strings.Cut(v.text, ":")
	sum, body, found := strings.Cut(rest, ":")
	id, err := strconv.Atoi(head)
	if err != nil || !found {
		return 0, "no value of ours: " + clip(v.text)
	}
	if want := fmt.Sprintf("%08x", crc32.ChecksumIEEE([]byte(body))); sum != want || v.text != bigValue(id, len(body)) {
		return 0, fmt.Sprintf("write %d of %d bytes has the checksum %s, want %s", id, len(body), want, sum)
	}
	return id, ""
}
