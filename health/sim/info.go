package sim

import (
	"fmt"

	"holdfast/health"
)

// address is where health believes a node to be.
func address(id int) string { return fmt.Sprintf("10.0.0.%d:6379", id+1) }

func hostOf(id int) string { return fmt.Sprintf("10.0.0.%d", id+1) }

const redisPort = 6379

// info is what a node says of itself; the text form is health's own business.
func (n *node) info() health.Info {
	i := health.Info{RunID: n.run, Role: "slave", ReplID: n.replid, ReplID2: n.replid2, SecondOffset: n.secondOffset, Offset: n.offset(),
		Priority: 100, LastIO: -1, Keys: len(n.data) > 0, Syncing: n.loading}
	if n.isMaster {
		i.Role = "master"
		i.Followers = n.followers()
		return i
	}
	i.MasterHost, i.MasterPort = hostOf(n.follows), redisPort
	i.AppliedOffset, i.ReadOffset = n.offset(), n.offset()
	if f := n.upstream; f != nil && !n.loading {
		i.LinkUp = true
		i.ReadOffset += int64(len(f.inbox))
	}
	return i
}

func (n *node) followers() (list []health.Follower) {
	for _, f := range n.feeds {
		if f.closed {
			continue
		}
		list = append(list, health.Follower{Host: hostOf(f.replica.id), Port: redisPort, Online: f.online, Offset: f.ackOffset,
			Lag: int64((n.w.now - f.ackAt).Seconds())})
	}
	return list
}
