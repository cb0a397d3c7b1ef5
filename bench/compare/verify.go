package compare

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

// verifyMax bounds the reading of the final master.
const verifyMax = 10 * time.Second

// verify reads the final master directly and settles every write.
func verify(ctx context.Context, s *scene, groups []*group, o *Outcome) error {
	ctx, cancel := context.WithTimeout(ctx, verifyMax)
	defer cancel()
	var err error
	if o.ReportedRisk, o.ReportedBytes, err = s.atRisk(ctx); err != nil {
		return fmt.Errorf("read the receipts: %w", err)
	}
	if !o.Served {
		return fmt.Errorf("nobody to read: %w", errUnserved)
	}
	server, err := s.master(ctx)
	if err != nil {
		return fmt.Errorf("find the master: %w", err)
	}
	master := redis.NewClient(&redis.Options{Addr: server.Address(), PoolSize: 1})
	defer master.Close()
	for i, g := range groups {
		for _, c := range g.clients {
			if err := c.verify(ctx, master, &o.Groups[i]); err != nil {
				return fmt.Errorf("read %s: %w", server.Address(), err)
			}
		}
	}
	return nil
}

// verify compares what a client knows with what the master has.
func (c *client) verify(ctx context.Context, master *redis.Client, r *GroupResult) error {
	list, err := master.LRange(ctx, c.key("list"), 0, -1).Result()
	if err != nil {
		return err
	}
	times := make([]int, len(c.list))
	for _, text := range list {
		id, err := strconv.Atoi(text)
		if err != nil || id < 0 || id >= len(times) {
			r.Phantoms++
			continue
		}
		times[id]++
	}
	for id, known := range c.list {
		r.settle(known, times[id])
	}
	count, err := master.Get(ctx, c.key("count")).Int()
	if err != nil && !errors.Is(err, redis.Nil) {
		return err
	}
	r.settleCount(c.counts, count)
	return nil
}

// settle judges a write that is there so many times.
func (r *GroupResult) settle(known state, times int) {
	r.Checked++
	r.Duplicates += max(times-1, 0)
	switch {
	case known == unknown:
		r.Unknown++
	case known == acknowledged && times == 0:
		r.Lost++
	case known == refused && times > 0:
		r.Phantoms++
	}
}

// settleCount judges a counter. Its value cannot tell a lost increment from a duplicate one beside it, so each is the least
// that there must be.
func (r *GroupResult) settleCount(known [refused + 1]int, count int) {
	r.Checked += known[acknowledged] + known[refused] + known[unknown]
	r.Unknown += known[unknown]
	r.Lost += max(known[acknowledged]-count, 0)
	r.Duplicates += max(count-known[acknowledged]-known[unknown], 0)
}
