package health

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"
)

// prober asks one backend how it is: over one control connection in a fixed rhythm, and on demand over a fresh one.
//
// The control connection has no read deadline. Silence is measured by the controller, and the late answer of a server that hung
// is worth more than a timeout.
type prober struct {
	settings Settings
	node     int
	clock    Clock
	report   func(context.Context, Observation)
	poke     chan struct{}
	// asking is true while a fresh question is out; one at a time is enough.
	asking atomic.Bool
	// control is the control connection while a question is out on it, which was sent at asked.
	control atomic.Pointer[Link]
	asked   atomic.Int64
}

func newProber(s Settings, node int, clock Clock, report func(context.Context, Observation)) *prober {
	return &prober{settings: s, node: node, clock: clock, report: report, poke: make(chan struct{}, 1)}
}

// Run asks until ctx ends.
func (p *prober) Run(ctx context.Context) {
	ticker := time.NewTicker(p.settings.Interval)
	defer ticker.Stop()
	var control *Link
	defer func() { closeLink(control) }()
	for ctx.Err() == nil {
		if p.settings.Probe == ProbeConnect {
			p.connect(ctx)
		} else {
			control = p.askControl(ctx, control)
		}
		select {
		case <-ticker.C:
		case <-p.poke:
		case <-ctx.Done():
		}
	}
}

// Poke wants an answer from the control connection now. It reports whether a fresh question should be asked beside it, by AskFresh
// in a goroutine of the caller.
func (p *prober) Poke() bool {
	select {
	case p.poke <- struct{}{}:
	default: // already poked
	}
	return p.settings.Probe != ProbeConnect && !p.asking.Swap(true)
}

// askControl asks once over the control connection, opening it when it is missing, and returns it, or nil when it was lost.
func (p *prober) askControl(ctx context.Context, link *Link) *Link {
	if link == nil {
		dialing, cancel := context.WithTimeout(ctx, p.settings.Silence)
		defer cancel()
		opened, err := Dial(dialing, p.settings, p.settings.Backends[p.node])
		if err != nil {
			p.fail(ctx, failureOf(err), false, err)
			return nil
		}
		link = opened
	}
	stop := context.AfterFunc(ctx, link.Interrupt)
	defer stop()
	p.asked.Store(int64(p.clock()))
	p.control.Store(link)
	defer p.control.Store(nil)
	if !p.ask(ctx, link, false) {
		closeLink(link)
		return nil
	}
	return link
}

// AskFresh asks once over a new connection and gives up after the silence that would be fatal anyway.
func (p *prober) AskFresh(ctx context.Context) {
	defer p.asking.Store(false)
	ctx, cancel := context.WithTimeout(ctx, p.settings.Silence)
	defer cancel()
	link, err := Dial(ctx, p.settings, p.settings.Backends[p.node])
	if err != nil {
		p.fail(ctx, failureOf(err), true, err)
		return
	}
	defer closeLink(link)
	stop := context.AfterFunc(ctx, link.Interrupt)
	defer stop()
	if p.ask(ctx, link, true) {
		p.dropDeafControl()
	}
}

// dropDeafControl ends a control connection that stays silent while the server answers others: its path is gone, and nobody said so.
func (p *prober) dropDeafControl() {
	link := p.control.Load()
	if link != nil && p.clock()-time.Duration(p.asked.Load()) > p.settings.Silence {
		link.Interrupt()
	}
}

// ask sends the question and reports the answer. It returns false when the connection is of no further use.
func (p *prober) ask(ctx context.Context, link *Link, fresh bool) bool {
	sent := p.clock()
	answer := Answer{Node: p.node, Sent: sent, Fresh: fresh}
	var err error
	if p.settings.Mode == Ordered {
		answer.Reply, err = ReplyAlive, link.Ping(ctx).Err()
	} else {
		var text string
		text, err = link.Info(ctx).Result()
		answer.Info = ParseInfo(text)
	}
	if reply, isReply := replyOf(err); isReply {
		answer.Reply, answer.Text = reply, err.Error()
		p.report(ctx, Observation{At: p.clock(), Answer: &answer})
		return reply != ReplyDenied && reply != ReplyFull
	}
	if err != nil {
		kind := FailLost
		if fresh && ctx.Err() != nil {
			kind = FailTimeout
		}
		p.fail(ctx, kind, fresh, err)
		return false
	}
	p.report(ctx, Observation{At: p.clock(), Answer: &answer})
	return true
}

// connect is the probe of pools of opaque bytes: a connection that opens is an answer.
func (p *prober) connect(ctx context.Context) {
	dialing, cancel := context.WithTimeout(ctx, p.settings.Silence)
	defer cancel()
	sent := p.clock()
	link, err := Dial(dialing, p.settings, p.settings.Backends[p.node])
	if err != nil {
		p.fail(ctx, failureOf(err), true, err)
		return
	}
	closeLink(link)
	p.report(ctx, Observation{At: p.clock(), Answer: &Answer{Node: p.node, Sent: sent, Fresh: true, Reply: ReplyAlive}})
}

func (p *prober) fail(ctx context.Context, kind FailureKind, fresh bool, err error) {
	p.report(ctx, Observation{At: p.clock(), Failure: &Failure{Node: p.node, Kind: kind, Fresh: fresh, Text: err.Error()}})
}

// replyOf tells an error that the server sent from one of the connection, and grades it.
func replyOf(err error) (Reply, bool) {
	var sent redis.Error
	if err == nil || !errors.As(err, &sent) {
		return ReplyInfo, false
	}
	text := sent.Error()
	for _, grade := range []struct {
		prefix string
		reply  Reply
	}{
		{"LOADING", ReplyLoading}, {"BUSY", ReplyBusy}, {"MISCONF", ReplyDegraded}, {"NOAUTH", ReplyDenied}, {"WRONGPASS", ReplyDenied},
		{"NOPERM", ReplyDenied}, {"ERR invalid password", ReplyDenied}, {"ERR AUTH", ReplyDenied}, {"MASTERDOWN", ReplyStale},
		{"ERR max number of clients", ReplyFull}, {"DENIED", ReplyFull},
	} {
		if strings.HasPrefix(text, grade.prefix) {
			return grade.reply, true
		}
	}
	return ReplyOther, true
}

func failureOf(err error) FailureKind {
	switch {
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, os.ErrNotExist):
		return FailRefused // a unix socket that is gone has nobody behind it either
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return FailTimeout
	}
	return FailDial
}

func closeLink(l *Link) {
	if l != nil {
		l.Close() //nolint:errcheck // a connection that is thrown away has nothing more to say
	}
}
