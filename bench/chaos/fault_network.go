package chaos

import (
	"context"
	"fmt"
	"strings"
	"time"

	"holdfast/bench"
)

const (
	// cutFor is how long a link is cut when nobody is to be promoted: longer than the silence, so that a proxy that looks at
	// nothing but its own connection would.
	cutFor = 2 * time.Second
	// gapCut is a cut link's bound: after it the kernel may wait for as long again before it sends once more.
	gapCut = 3 * cutFor
)

// networkFaults cut links, one way or both. A host is deaf to another when it drops what comes from there.
func networkFaults() (all []fault) {
	for _, l := range []struct{ name, text, a, b string }{
		{"proxy-master", "the proxy and the master", hostProxy, roleMaster},
		{"proxy-replica", "the proxy and the replica", hostProxy, roleReplica},
		{"master-replica", "the master and its replica", roleMaster, roleReplica},
		{"clients-proxy", "the clients and the proxy", hostClients, hostProxy},
	} {
		cut := func(way, text string, deaf ...[2]string) {
			f := fault{name: "cut-" + l.name + way, text: fmt.Sprintf("%s between %s for %s", text, l.text, cutFor),
				flavour: flavour{network: true}, promotions: nobody(), gapMax: gapCut, wobbles: true, commit: cutLink(deaf...)}
			if l.a == hostProxy && l.b == roleMaster {
				f.commit = cutWithWitness(deaf...) // an idle master proves nothing to a witness, so somebody else writes to it
			}
			all = append(all, f)
		}
		cut("", "no packet", [2]string{l.a, l.b}, [2]string{l.b, l.a})
		cut("-back", "no packet back", [2]string{l.a, l.b})
		cut("-forth", "no packet forth", [2]string{l.b, l.a})
	}
	net, lossy := flavour{network: true}, flavour{network: true, lossy: true}
	return append(all,
		fault{name: "cut-proxy-master-idle", text: "no packet between the proxy and an idle master", flavour: net, promotions: perhaps(),
			gapMax: gapCut, wobbles: true, commit: cutLink([2]string{hostProxy, roleMaster}, [2]string{roleMaster, hostProxy})},
		fault{name: "host-death", text: "the master's host is cut off for good, and killed", flavour: lossy, promotions: once(),
			gapMax: 2 * gapFreeze, commit: isolate(true)},
		fault{name: "partition", text: "the master is cut off from proxy and replica, and comes back", flavour: lossy, promotions: once(),
			gapMax: 2 * gapFreeze, commit: isolate(false)},
		fault{name: "async-loss", text: "the replica hears nothing for 300 ms, then the master's host dies",
			flavour: lossy, promotions: once(), gapMax: 2 * gapFreeze, commit: loseStream},
		fault{name: "max-loss", text: "the replica lacks more than max_loss and the master's host is cut off: nobody is promoted", flavour: net,
			promotions: nobody(), denies: true, commit: exceedLoss},
		fault{name: "executed-unacked", text: "the proxy hears nothing from the master, which is killed with requests executed", flavour: net,
			promotions: once(), gapMax: 2 * gapFreeze, wobbles: true, commit: executeUnacked},
		fault{name: "zombie", text: "master and proxy lose each other in the middle of requests, the replica loses the master; all heal later",
			flavour: lossy, promotions: once(), gapMax: 2 * gapFreeze, wobbles: true, commit: makeZombie})
}

// roleMaster and roleReplica stand for the hosts that have these roles when the cycle begins.
const (
	roleMaster  = "(master)"
	roleReplica = "(replica)"
)

// host is the space of a role or of a name.
func (c *cycle) host(name string) *space {
	switch name {
	case roleMaster:
		name = c.old.Name
	case roleReplica:
		name = c.spare[0].Name
	}
	return c.network.hosts[name]
}

// deafen makes each first host deaf to all its second ones, host after host in the order of the pairs: whoever must not be a witness
// of the rest comes first, because on a busy machine there is half a second between two of them.
func (c *cycle) deafen(ctx context.Context, pairs ...[2]string) error {
	var order []*space
	from := make(map[*space][]string)
	for _, p := range pairs {
		s := c.host(p[0])
		if from[s] == nil {
			order = append(order, s)
		}
		from[s] = append(from[s], c.host(p[1]).address)
	}
	for _, s := range order {
		if err := s.deafTo(ctx, from[s]...); err != nil {
			return err
		}
	}
	return nil
}

func cutLink(pairs ...[2]string) func(context.Context, *cycle) error {
	return func(ctx context.Context, c *cycle) error {
		if err := c.deafen(ctx, pairs...); err != nil {
			return err
		}
		if err := pause(ctx, cutFor); err != nil {
			return err
		}
		return c.network.heal(ctx)
	}
}

// cutWithWitness cuts the proxy off from a master that others go on writing to.
func cutWithWitness(pairs ...[2]string) func(context.Context, *cycle) error {
	return func(ctx context.Context, c *cycle) error {
		raw, err := c.old.Dial(ctx)
		if err != nil {
			return err
		}
		defer raw.Close()
		w := newWire(raw)
		if err := c.deafen(ctx, pairs...); err != nil {
			return err
		}
		for end := time.Now().Add(cutFor); time.Now().Before(end); {
			if _, err := w.must("INCR", "rig:witness"); err != nil {
				return err
			}
			if err := pause(ctx, 20*time.Millisecond); err != nil {
				return err
			}
		}
		return c.network.heal(ctx)
	}
}

// cutOff separates the master from proxy and replica, both ways. The rig and the clients' space still reach it.
func (c *cycle) cutOff(ctx context.Context) error {
	return c.deafen(ctx, [2]string{roleReplica, roleMaster}, [2]string{roleMaster, hostProxy}, [2]string{roleMaster, roleReplica},
		[2]string{hostProxy, roleMaster})
}

// isolate cuts the master off; it is killed, or lives on as a zombie that others write to.
func isolate(kill bool) func(context.Context, *cycle) error {
	return func(ctx context.Context, c *cycle) error {
		if err := c.cutOff(ctx); err != nil {
			return err
		}
		if kill {
			if err := c.old.Kill(); err != nil {
				return err
			}
		} else if err := c.poison(ctx, c.old); err != nil {
			return err
		}
		return c.promoted(ctx, 1)
	}
}

// loseStream lets acknowledged writes pile up that only the master has, and takes the master away.
func loseStream(ctx context.Context, c *cycle) error {
	if err := c.deafen(ctx, [2]string{roleReplica, roleMaster}); err != nil {
		return err
	}
	if err := pause(ctx, 300*time.Millisecond); err != nil {
		return err
	}
	if err := c.cutOff(ctx); err != nil {
		return err
	}
	if err := c.old.Kill(); err != nil {
		return err
	}
	return c.promoted(ctx, 1)
}

// exceedLoss leaves nobody who may be promoted, until the master is back with all its data.
func exceedLoss(ctx context.Context, c *cycle) error {
	if err := c.deafen(ctx, [2]string{roleReplica, roleMaster}); err != nil {
		return err
	}
	value := strings.Repeat("l", 1<<20)
	for range 3 {
		if _, err := c.old.Do(ctx, "SET", "rig:loss", value); err != nil {
			return err
		}
	}
	if err := pause(ctx, 300*time.Millisecond); err != nil { // a probe sees the offset
		return err
	}
	if err := c.cutOff(ctx); err != nil {
		return err
	}
	if err := pause(ctx, cutFor); err != nil {
		return err
	}
	return c.network.heal(ctx)
}

// executeUnacked lets the master execute and replicate what its clients never hear of. Whoever sends such a request again runs it
// twice.
func executeUnacked(ctx context.Context, c *cycle) error {
	if err := c.deafen(ctx, [2]string{hostProxy, roleMaster}); err != nil {
		return err
	}
	if err := pause(ctx, 100*time.Millisecond); err != nil {
		return err
	}
	if err := c.old.Kill(); err != nil {
		return err
	}
	if err := c.network.heal(ctx); err != nil {
		return err
	}
	return c.promoted(ctx, 1)
}

// makeZombie leaves requests executed on the master and their replies on the way, until somebody else has been master for a while.
// Replies that arrive then belong to nobody.
func makeZombie(ctx context.Context, c *cycle) error {
	err := c.deafen(ctx, [2]string{roleReplica, roleMaster}, [2]string{roleMaster, roleReplica}, [2]string{hostProxy, roleMaster})
	if err != nil {
		return err
	}
	if err := pause(ctx, 50*time.Millisecond); err != nil {
		return err
	}
	if err := c.poison(ctx, c.old); err != nil {
		return err
	}
	if err := c.promoted(ctx, 1); err != nil {
		return err
	}
	if err := c.network.heal(ctx); err != nil {
		return err
	}
	return pause(ctx, 500*time.Millisecond) // the kernel sends once more within twice its last wait
}

// zombieMark begins every value that only a node out of office can have.
const zombieMark = "zombie"

// poison writes to a node what no client may ever read: values that only a zombie has.
func (c *cycle) poison(ctx context.Context, s *bench.Server) error {
	raw, err := s.Dial(ctx)
	if err != nil {
		return err
	}
	defer raw.Close()
	w := newWire(raw)
	for _, sh := range c.crew.shelf {
		p, is := sh.book.(poisonable)
		if !is {
			continue
		}
		if _, err := w.must("SELECT", fmt.Sprint(sh.db)); err != nil {
			return err
		}
		for _, request := range p.poison() {
			if _, err := w.must(request...); err != nil {
				return err
			}
		}
	}
	return nil
}

// poisonable is a book that would notice a value of a zombie.
type poisonable interface{ poison() [][]string }

func (b *registerBook) poison() (all [][]string) {
	for i := range registerKeys {
		all = append(all, []string{"SET", b.key(i), zombieMark})
	}
	return all
}

func (b *listBook) poison() [][]string { return [][]string{{"RPUSH", b.key, zombieMark}} }
