package failover

import (
	"context"
	"strings"

	"github.com/redis/go-redis/v9"

	"holdfast/health"
)

// repoint makes a replica follow another master. Its data survives: the lineage continues, so a partial resync does.
func (n *node) repoint(ctx context.Context, to health.Backend) error {
	follow, err := replicaOf(to)
	if err != nil {
		return err
	}
	return n.talk(ctx, &n.command, commandMax, func(ctx context.Context, link *health.Link) error {
		if err := link.Do(ctx, follow...).Err(); err != nil {
			return n.wrap("repoint", err)
		}
		return ignoreNoFile(link.ConfigRewrite(ctx).Err())
	})
}

// demote makes a master a replica. Clients that talk to it directly are dropped: they would go on reading old data.
func (n *node) demote(ctx context.Context, to health.Backend) error {
	return n.surrender(ctx, &n.command, to, true)
}

// fence queues the demotion on the spare connection of a master that hangs, so that it is the first thing it does when it wakes.
func (n *node) fence(ctx context.Context, to health.Backend) error {
	return n.surrender(ctx, &n.spare, to, false)
}

func (n *node) surrender(ctx context.Context, l *line, to health.Backend, awake bool) error {
	follow, err := replicaOf(to)
	if err != nil {
		return err
	}
	limit := commandMax
	if !awake {
		limit = fenceMax
	}
	return n.talk(ctx, l, limit, func(ctx context.Context, link *health.Link) error {
		var demoted *redis.Cmd
		_, err := link.Pipelined(ctx, func(p redis.Pipeliner) error {
			demoted = p.Do(ctx, follow...)
			p.Do(ctx, "CLIENT", "UNPAUSE")
			p.Do(ctx, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
			return nil
		})
		if demoted.Err() == nil && (err == nil || isReply(err)) {
			return ignoreNoFile(link.ConfigRewrite(ctx).Err())
		}
		return n.wrap("demote", demoted.Err())
	})
}

// unpause lets writes go on after a switchover that was given up.
func (n *node) unpause(ctx context.Context) error {
	return n.talk(ctx, &n.command, commandMax, func(ctx context.Context, link *health.Link) error {
		return n.wrap("end the pause of", link.Do(ctx, "CLIENT", "UNPAUSE").Err())
	})
}

// restore sets min-replicas-to-write back, in the process and in its file: a demotion may have written the file meanwhile.
func (n *node) restore(ctx context.Context, value int64) error {
	return n.talk(ctx, &n.command, commandMax, func(ctx context.Context, link *health.Link) error {
		if err := link.Do(ctx, "CONFIG", "SET", minReplicas, value).Err(); err != nil {
			return n.wrap("restore min-replicas-to-write of", err)
		}
		return n.wrap("rewrite the configuration of", ignoreNoFile(link.ConfigRewrite(ctx).Err()))
	})
}

// persist writes the present role into the server's configuration file. A relaxed min-replicas-to-write is in force again for as
// long as one transaction takes, so that the file has the true value and no client meets it.
func (n *node) persist(ctx context.Context, relaxed int64) error {
	return n.talk(ctx, &n.command, commandMax, func(ctx context.Context, link *health.Link) error {
		if relaxed == 0 {
			return n.wrap("rewrite the configuration of", ignoreNoFile(link.ConfigRewrite(ctx).Err()))
		}
		_, err := link.TxPipelined(ctx, func(tx redis.Pipeliner) error {
			tx.Do(ctx, "CONFIG", "SET", minReplicas, relaxed)
			tx.ConfigRewrite(ctx)
			tx.Do(ctx, "CONFIG", "SET", minReplicas, 0)
			return nil
		})
		return n.wrap("rewrite the configuration of", ignoreNoFile(err))
	})
}

// ignoreNoFile accepts that a server has no configuration file, or does not let us write it: its role then lasts until it
// restarts, and a restarted server is judged anew anyway.
func ignoreNoFile(err error) error {
	if err != nil && isReply(err) && !strings.HasPrefix(err.Error(), "NOPERM") {
		return nil
	}
	return err
}
