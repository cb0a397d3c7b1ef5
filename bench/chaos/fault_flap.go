package chaos

import (
	"context"
	"time"
)

const (
	// flapFor is how long a link flaps: seven times at the mean of the two bounds below.
	flapFor = 4 * time.Second
	// flapMin and flapMax bound how long it is up or down at a time. What is sent while it is down is sent again by the kernel, each
	// time later, so that a host may be silent for up to twice as long, which is still less than the silence of a dead one.
	flapMin = 50 * time.Millisecond
	flapMax = 500 * time.Millisecond
	// flapLook is how often somebody else writes to the master meanwhile, which a witness sees.
	flapLook = 20 * time.Millisecond
)

// flapFaults are links that come and go. Nobody is dead, so nobody is replaced.
func flapFaults() (all []fault) {
	for _, l := range []struct{ name, text, a, b string }{
		{"proxy-master", "the proxy and the master", hostProxy, roleMaster},
		{"proxy-replica", "the proxy and the replica", hostProxy, roleReplica},
		{"master-replica", "the master and its replica", roleMaster, roleReplica},
		{"clients-proxy", "the clients and the proxy", hostClients, hostProxy},
	} {
		all = append(all, fault{name: "flap-" + l.name, text: "the link between " + l.text + " comes and goes for 4 s, 50 to 500 ms at a time",
			flavour: flavour{network: true}, promotions: nobody(), gapMax: gapCut, wobbles: true,
			commit: flapLink([2]string{l.a, l.b}, [2]string{l.b, l.a})})
	}
	return all
}

// flapLink cuts and heals by turns while somebody else goes on writing to the master.
func flapLink(pairs ...[2]string) func(context.Context, *cycle) error {
	return func(ctx context.Context, c *cycle) error {
		raw, err := c.old.Dial(ctx)
		if err != nil {
			return err
		}
		defer raw.Close()
		w, down, turn := newWire(raw), false, time.Now()
		for end := turn.Add(flapFor); time.Now().Before(end); {
			if !time.Now().Before(turn) {
				if down = !down; down {
					err = c.deafen(ctx, pairs...)
				} else {
					err = c.network.heal(ctx)
				}
				if err != nil {
					return err
				}
				turn = time.Now().Add(flapMin + time.Duration(c.rng.Int64N(int64(flapMax-flapMin))))
			}
			if _, err := w.must("INCR", "rig:witness"); err != nil {
				return err
			}
			if err := pause(ctx, flapLook); err != nil {
				return err
			}
		}
		return c.network.heal(ctx)
	}
}
