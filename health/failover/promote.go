package failover

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"holdfast/health"
)

// ErrUnverified is returned when a server does not show what a promotion or an adoption must show.
var ErrUnverified = errors.New("not verified")

// minReplicas is the setting by which a lone master refuses all writes.
const minReplicas = "min-replicas-to-write"

// promote makes the replica a master in one transaction, and reads in the same transaction what it was and what it became. It returns
// the value of min-replicas-to-write that was set to zero. Doing it again changes nothing.
func (n *node) promote(ctx context.Context, lineage string, relax bool) (info health.Info, relaxed int64, err error) {
	var was health.Info
	err = n.talk(ctx, &n.command, promoteMax, func(ctx context.Context, link *health.Link) error {
		if relax {
			value, err := readMinReplicas(ctx, link)
			if err != nil {
				return n.wrap("read min-replicas-to-write of", err)
			}
			relaxed = max(relaxed, value) // a second attempt may find what the first has set to zero
		}
		var before, after *redis.StringCmd
		_, err = link.TxPipelined(ctx, func(tx redis.Pipeliner) error {
			if relaxed > 0 {
				tx.Do(ctx, "CONFIG", "SET", minReplicas, "0")
			}
			before = tx.Info(ctx)
			tx.Do(ctx, "REPLICAOF", "NO", "ONE")
			after = tx.Info(ctx)
			return nil
		})
		if err != nil {
			return n.wrap("promote", err)
		}
		was, info = health.ParseInfo(before.Val()), health.ParseInfo(after.Val())
		return nil
	})
	if err == nil {
		// A master that was restarted with all its data may have taken the replica along a moment ago, which then goes on from our
		// lineage under a new name. Only one that copied has forgotten where it came from.
		err = n.check(info, lineage, was.ReplID, was.ReplID2)
	}
	return info, relaxed, err
}

func readMinReplicas(ctx context.Context, link *health.Link) (int64, error) {
	values, err := link.ConfigGet(ctx, minReplicas).Result()
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(values[minReplicas], 10, 64)
}

// check compares what a server shows with what the epoch demands: that it is a master, and that lineage is one of those shown.
func (n *node) check(info health.Info, lineage string, shown ...string) error {
	switch {
	case !info.IsMaster():
		return n.wrap("check role of", fmt.Errorf("%w: it says %q", ErrUnverified, info.Role))
	case info.Loading:
		return n.wrap("check data of", fmt.Errorf("%w: it is loading", ErrUnverified))
	case lineage != "" && !slices.Contains(shown, lineage):
		return n.wrap("check lineage of", fmt.Errorf("%w: it shows %q instead of %q", ErrUnverified, shown, lineage))
	}
	return nil
}

// verify reads role and lineage of a master that somebody else made.
func (n *node) verify(ctx context.Context, lineage string) (info health.Info, err error) {
	err = n.talk(ctx, &n.command, commandMax, func(ctx context.Context, link *health.Link) error {
		info, err = n.ask(ctx, link)
		return err
	})
	if err == nil {
		err = n.check(info, lineage, info.ReplID)
	}
	return info, err
}

// catchUp stops the writes of those who bypass the proxy and waits until the replica to has everything this master has. The pause
// ends by itself, or with demote or unpause.
func (n *node) catchUp(ctx context.Context, to *node, limit time.Duration) (info health.Info, err error) {
	err = n.talk(ctx, &n.command, limit, func(ctx context.Context, link *health.Link) error {
		pause := link.Do(ctx, "CLIENT", "PAUSE", pauseFor.Milliseconds(), "WRITE").Err()
		if pause != nil && !isReply(pause) {
			return n.wrap("pause writes of", pause)
		}
		// A server too old for CLIENT PAUSE WRITE goes on without; clients of the proxy are held by the gate anyway.
		info, err = n.ask(ctx, link)
		return err
	})
	if err != nil {
		return info, err
	}
	err = to.talk(ctx, &to.command, limit, func(ctx context.Context, link *health.Link) error {
		return to.reach(ctx, link, info)
	})
	return info, err
}

// reach polls until the replica has the offset of its master.
func (n *node) reach(ctx context.Context, link *health.Link, master health.Info) error {
	ticker := time.NewTicker(drainPoll)
	defer ticker.Stop()
	for {
		info, err := n.ask(ctx, link)
		if err != nil {
			return err
		}
		if info.ReplID != master.ReplID {
			return n.wrap("compare", fmt.Errorf("%w: its lineage is not its master's", ErrUnverified))
		}
		if info.AppliedOffset >= master.Offset {
			return nil
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return n.wrap("wait for the last bytes at", context.Cause(ctx))
		}
	}
}
