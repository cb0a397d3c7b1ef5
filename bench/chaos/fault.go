package chaos

import (
	"context"
	"time"
)

// fault is one way to break a rig, with what it must and must not lead to.
type fault struct {
	name, text string
	flavour    flavour
	promotions [2]int        // by the proxy: at least, at most
	adoptions  [2]int        // of masters that somebody else made, or the proxy itself before it was killed
	gapMax     time.Duration // longest time without a success of anybody; 0 is not judged
	errors     []string      // classes that clients may see beside the documented ones
	closes     []string      // reasons for which the proxy may close clients
	root       bool          // needs root although its rig does not
	group      bool          // needs a control group with a memory limit
	drops      bool          // connections end with the proxy or with a user
	denies     bool          // not everybody is served before the repair
	clean      bool          // not one error
	wobbles    bool          // connections break by themselves before or without a failover
	blind      bool          // the proxy may die with what it knew to be at risk
	restart    restart
	prepare    func(context.Context, *cycle) error
	commit     func(context.Context, *cycle) error
}

// faults is the matrix, in the order in which it is best read.
func faults() (all []fault) {
	for _, family := range []func() []fault{processFaults, memoryFaults, rebornFaults, multiFaults, handFaults,
		serverFaults, flushFaults, proxyFaults, networkFaults, flapFaults} {
		all = append(all, family()...)
	}
	for i := range all {
		if all[i].flavour.nodes == 0 {
			all[i].flavour.nodes = 2
		}
	}
	return all
}
