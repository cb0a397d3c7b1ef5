package failover

import (
	"context"
	"fmt"
	"maps"

	"github.com/redis/go-redis/v9"

	"holdfast/health"
)

// compare says in what this replica differs from its master, as far as clients would notice after a promotion.
func (n *node) compare(ctx context.Context, master *node) ([]health.Difference, error) {
	there, err := master.parity(ctx)
	if err != nil {
		return nil, err
	}
	here, err := n.parity(ctx)
	if err != nil {
		return nil, err
	}
	return health.Compare(there, here), nil
}

// parity asks a server for what it does not replicate. Rules of users are hashed at once and passed on nowhere.
func (n *node) parity(ctx context.Context) (p health.Parity, err error) {
	err = n.talk(ctx, &n.school, commandMax, func(ctx context.Context, link *health.Link) error {
		p = health.Parity{}
		settings, err := n.settingsOf(ctx, link)
		if err == nil {
			p.Settings = settings
		} else if !deny(&p, "CONFIG GET", err) {
			return n.wrap("read settings of", err)
		}
		lines, err := link.Do(ctx, "ACL", "LIST").StringSlice()
		if err == nil {
			p.Users = health.ParseUsers(lines)
		} else if !deny(&p, "ACL LIST", err) {
			return n.wrap("read users of", err)
		}
		return nil
	})
	return p, err
}

// settingsOf reads what is compared, one question for each: older servers take no more. A setting that a server does not have is
// missing from its answer.
func (n *node) settingsOf(ctx context.Context, link *health.Link) (map[string]string, error) {
	var answers []*redis.MapStringStringCmd
	_, err := link.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, name := range health.ParitySettings() {
			answers = append(answers, p.ConfigGet(ctx, name))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	settings := map[string]string{}
	for _, a := range answers {
		maps.Copy(settings, a.Val())
	}
	return settings, nil
}

// deny notes a question that our user may not ask, or that the server does not know. It is false for every other error.
func deny(p *health.Parity, question string, err error) bool {
	if !redis.HasErrorPrefix(err, "NOPERM") && !redis.HasErrorPrefix(err, "ERR unknown") {
		return false
	}
	p.Denied = append(p.Denied, fmt.Sprintf("%s: %v", question, err))
	return true
}
