package failover

import (
	"context"
	"time"

	"holdfast/health"
)

const (
	// drainPoll: an INFO costs a replica about 0.1 ms, so that a poll a millisecond is a tenth of its time, for a few milliseconds.
	drainPoll = time.Millisecond
	// stillFor is how long the offsets must not move before a link that stays up counts as drained.
	stillFor = 10 * time.Millisecond
)

// drain waits until the replica has read and applied everything its lost master had sent. It returns what the replica says at the
// end, also when the limit ended it: a replica that is still reading by then is judged by its offset.
//
// The end of the stream is seen as a link that is down. A master that only hangs does not end it; then offsets that are equal and
// still must do.
func (n *node) drain(ctx context.Context, hung bool, limit time.Duration) (health.Info, health.FirstAnswer, error) {
	var info health.Info
	var first health.FirstAnswer
	start := time.Now()
	err := n.talk(ctx, &n.command, limit+commandMax, func(ctx context.Context, link *health.Link) (err error) {
		info, err = n.pollDrain(ctx, link, hung, limit, func(info health.Info) {
			first = health.FirstAnswer{Read: info.End(), After: time.Since(start)}
		})
		return err
	})
	return info, first, err
}

// pollDrain asks until the drain is over, and tells the first answer to heard.
func (n *node) pollDrain(ctx context.Context, link *health.Link, hung bool, limit time.Duration,
	heard func(health.Info)) (health.Info, error) {
	ticker := time.NewTicker(drainPoll)
	defer ticker.Stop()
	start := time.Now()
	var still stillness
	for {
		info, err := n.ask(ctx, link)
		if err != nil {
			return info, err
		}
		if heard != nil {
			heard(info)
			heard = nil
		}
		now := time.Now()
		ended := !info.LinkUp || info.IsMaster()
		if ended || hung && still.since(info, now) >= stillFor || now.Sub(start) >= limit {
			return info, nil
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return info, n.wrap("drain", context.Cause(ctx))
		}
	}
}

// stillness measures how long read and applied offset have been equal and unchanged.
type stillness struct {
	offset int64
	began  time.Time
}

func (s *stillness) since(info health.Info, now time.Time) time.Duration {
	equal := info.ReadOffset == info.AppliedOffset || info.ReadOffset == 0
	if !equal || s.began.IsZero() || info.AppliedOffset != s.offset {
		s.offset, s.began = info.AppliedOffset, now
		if !equal {
			s.began = time.Time{}
		}
		return 0
	}
	return now.Sub(s.began)
}
