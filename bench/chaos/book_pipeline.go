package chaos

import (
	"fmt"
	"strconv"
)

// pipelineLength is how many requests one write carries: more than a proxy keeps in its head, and more than a packet.
const pipelineLength = 100

// pipelineBook writes pipelines of appends, each client to a list of its own. What is executed of a pipeline must be a prefix.
type pipelineBook struct {
	history
	pipelines map[int][][]string // ids of each pipeline, by client
}

func (b *pipelineBook) begin(tag string) {
	b.reset("pipeline:" + tag)
	b.pipelines = make(map[int][][]string)
}

func (b *pipelineBook) own(client int) string { return b.key + ":" + strconv.Itoa(client) }

func (b *pipelineBook) turn(c *client) {
	requests, ids := make([][]string, pipelineLength), make([]string, pipelineLength)
	for i := range requests {
		ids[i] = b.id(c)
		requests[i] = []string{"RPUSH", b.own(c.id), ids[i]}
	}
	answers := c.do(requests...)
	for i, a := range answers {
		b.add(c, ids[i], a)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.pipelines[c.id] = append(b.pipelines[c.id], ids)
}

func (b *pipelineBook) check(final *wire, j *judge) error {
	byClient, torn := make(map[int][]record), make(map[string]bool)
	for _, r := range b.records {
		torn[r.id] = r.call < j.flushed.ret
		byClient[r.client] = append(byClient[r.client], r)
	}
	for client, records := range byClient {
		v, err := final.must("LRANGE", b.own(client), "0", "-1")
		if err != nil {
			return err
		}
		places := j.compare(b.own(client), j.standing(records), texts(v))
		for _, ids := range b.pipelines[client] {
			if torn[ids[0]] {
				continue // its beginning was deleted, its end may be there
			}
			j.verdicts.checked(I23, 1)
			if why := prefix(ids, places); why != "" {
				j.verdicts.broken(I23, "%s: %s", b.own(client), why)
			}
		}
	}
	return nil
}

// prefix says what is wrong with the order in which a pipeline was executed: behind a hole there must be nothing, and places grow.
func prefix(ids []string, places map[string]int) string {
	hole, last := "", -1
	for _, id := range ids {
		place, there := places[id]
		switch {
		case !there && hole == "":
			hole = id
		case there && hole != "":
			return fmt.Sprintf("%s was executed and %s before it was not", id, hole)
		case there && place <= last:
			return fmt.Sprintf("%s stands before what was sent before it", id)
		}
		if there {
			last = place
		}
	}
	return ""
}
