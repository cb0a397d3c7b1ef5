package bench

import (
	"context"
	"fmt"
	"strings"
	"time"
)

const (
	// hostileClients are beside the good ones.
	hostileClients = 5000
	// hostileInterval is between two operations of one good client. The load is open: an operation that is late because the
	// one before it was counts as late. A thousand operations a second leave the processors to whoever else wants them.
	hostileInterval = 50 * time.Millisecond
	// aloneFor and besideFor are the windows in which the good clients are measured. With the time in which the crowd gathers,
	// the second is longer than the 10 s of a handshake, so that the limits are at work in it.
	aloneFor, besideFor = 3 * time.Second, 9 * time.Second
	// hostileSilence is longer than the default. The crowd shares the processors with the servers, and a server that gets none for
	// a second is not what is drilled here; the death of the master is known by the refused connection.
	hostileSilence = 3 * time.Second
	// gapHostile is the longest gap of the failover among them: a thousand of the hostile clients are served, and every one of
	// them is cut, moved and answered, too.
	gapHostile = 500 * time.Millisecond
	// descriptorsSlack is what control connections and pipes may make of a difference.
	descriptorsSlack = 50
	// residentEachKB bounds the memory of one hostile client, in KiB: what it does not read of one turn of the loop, up to half
	// a MiB for the 8 percent that read nothing, and a record of 0.6 for all the others.
	residentEachKB = 64
	// residentLeftKB is what each of them may leave behind: its record, which is kept for the next client, and what the
	// runtime finds not worth giving back. A daemon looks for what it can give back every ten seconds, and twice at most.
	residentLeftKB, leaveMax = 4, 30 * time.Second
)

// latencyPromise begins a promise that a busy machine can break by itself.
const latencyPromise = "p99 of the good clients beside the hostile ones at most "

// besideMax is what the crowd may cost: the connections that it makes, and its bytes, take processor time that the good
// clients and their servers would have had. What was slow before may be slower in proportion.
func besideMax(alone Percentiles) time.Duration { return 20*time.Millisecond + 3*alone.P99 }

// hostile shows that what thousands of bad clients do is nobody's concern but theirs.
func hostile() plan {
	h := &hostileScene{}
	return plan{
		name: "hostile", fault: fmt.Sprintf("%d hostile clients of ten kinds, and SIGKILL of the master among them", hostileClients),
		daemon: DaemonOptions{Silence: hostileSilence},
		gapMax: gapHostile, promotions: 1, errors: errorsInFlight, interval: hostileInterval, strangers: true,
		prepare: func(ctx context.Context, s *scene) error {
			if err := h.alone(ctx, s); err != nil {
				return err
			}
			return h.beside(ctx, s)
		},
		commit: func(ctx context.Context, s *scene) error {
			if err := s.kill(s.pair.Master); err != nil {
				return err
			}
			return s.waitPromotions(ctx, 1)
		},
		after: h.leave,
	}
}

// hostileScene is how it was before the crowd came.
type hostileScene struct {
	latency Percentiles
	usage   Usage
}

func (h *hostileScene) alone(ctx context.Context, s *scene) (err error) {
	if h.latency, err = s.load.Measure(ctx, aloneFor); err != nil {
		return err
	}
	h.usage, err = s.daemon.Usage()
	return err
}

func (h *hostileScene) beside(ctx context.Context, s *scene) error {
	s.hostiles = newHostiles(s.daemon.Address())
	s.hostiles.start(ctx, hostileClients)
	if err := s.hostiles.gathered(ctx); err != nil {
		return err
	}
	latency, err := s.load.Measure(ctx, besideFor)
	if err != nil {
		return err
	}
	n, most := s.load.Counts(), besideMax(h.latency)
	s.report.promise(n.Disconnects+n.Fail+n.Unknown+n.Wrong+n.Hung == 0, "no good client notices anything of them but time",
		"%d disconnects, errors %s", n.Disconnects, errorText(n.Errors))
	s.report.promise(latency.P99 <= most, latencyPromise+ms(most), "%s; alone %s", latency, h.latency)
	return h.judgeCrowd(ctx, s)
}

// judgeCrowd looks at what became of the hostile clients, and at what they cost.
func (h *hostileScene) judgeCrowd(ctx context.Context, s *scene) error {
	status, err := s.daemon.Status(ctx)
	if err != nil {
		return err
	}
	var ended []string
	all := true
	for _, reason := range []string{"foreign-protocol", "protocol-error", "handshake-timeout"} {
		ended = append(ended, fmt.Sprintf("%d %s", status.Closed[reason], reason))
		all = all && status.Closed[reason] > 0
	}
	s.report.promise(all, "hostile clients are ended, and counted by reason", "%d connections: %s", s.hostiles.dials.Load(),
		strings.Join(ended, ", "))
	served, err := s.pair.Master.clients(ctx)
	if err != nil {
		return err
	}
	asking := s.hostiles.served(hostileClients)
	most := s.opts.Clients + asking + asking/overlapShare + controlMax
	s.report.promise(served <= most, "only who has sent a request has a connection of the master", "%d connections, want at most %d",
		served, most)
	u, err := s.daemon.Usage()
	grown := u.ResidentKB - h.usage.ResidentKB
	s.report.promise(grown <= hostileClients*residentEachKB, fmt.Sprintf("the memory is bounded by %d KiB for each of them", residentEachKB),
		"%d -> %d KiB", h.usage.ResidentKB, u.ResidentKB)
	return err
}

// overlapShare: one in so many of those who ask, and come again, may be counted twice, since a server hears of the end of a
// connection after its successor is there.
const overlapShare = 10

// controlMax is how many connections of a master are no client's: Holdfast's own, and ours.
const controlMax = 20

// leave ends the crowd: nothing of it may be left.
func (h *hostileScene) leave(ctx context.Context, s *scene) error {
	s.hostiles.stop()
	var u Usage
	err := await(ctx, servedMax, pollEvery, func(ctx context.Context) (err error) {
		if u, err = s.daemon.Usage(); err != nil {
			return err
		}
		if u.Descriptors > h.usage.Descriptors+descriptorsSlack {
			return fmt.Errorf("%d descriptors, had %d", u.Descriptors, h.usage.Descriptors)
		}
		return nil
	})
	s.report.promise(err == nil, "all descriptors are given back", "%d -> %d", h.usage.Descriptors, u.Descriptors)
	err = await(ctx, leaveMax, pollEvery, func(ctx context.Context) (err error) {
		if u, err = s.daemon.Usage(); err != nil {
			return err
		}
		if left := u.ResidentKB - h.usage.ResidentKB; left > hostileClients*residentLeftKB {
			return fmt.Errorf("%d KiB are left", left)
		}
		return nil
	})
	s.report.promise(err == nil, "their memory is given back", "%d -> %d KiB", h.usage.ResidentKB, u.ResidentKB)
	return nil
}
