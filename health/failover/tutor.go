package failover

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"holdfast/health"
)

// Script is one that clients have taught the master.
type Script struct{ SHA, Body string }

// Command is one that a server knows, as it describes it.
type Command struct {
	Name  string // "container|subcommand" for a subcommand
	Flags []string
	Keyed bool // it names keys
}

// Lessons is what the tutor needs of the data plane.
type Lessons interface {
	// Scripts returns the scripts that became known after the mark, all for 0, and the mark for the next call.
	Scripts(mark uint64) (scripts []Script, next uint64)
	// ScriptsChanged receives after a script became known.
	ScriptsChanged() <-chan struct{}
	// Learn is given all commands of the master.
	Learn([]Command)
}

const (
	// teachEvery is how soon a replica that was restarted, and so knows nothing, is taught again.
	teachEvery = time.Second
	// teachMax bounds one conversation: four mebibytes of scripts are compiled in a fraction of it.
	teachMax = 2 * time.Second
	// hurryMax is what a promotion waits for the last scripts at most; without them clients get NOSCRIPT, not a wrong answer.
	hurryMax = 200 * time.Millisecond
	// teachBatch is how many scripts go out together. Each is compiled when it arrives, and probes wait behind them.
	teachBatch = 50
)

// Tutor carries knowledge between servers that they do not exchange themselves: it tells the replicas which scripts the master
// was taught, and the data plane which commands the master has.
//
// It stands beside the failover and never delays it, but for the scripts that a candidate lacks at its promotion.
type Tutor struct {
	lessons   Lessons
	log       *slog.Logger
	mode      health.Mode
	nodes     []*node
	pupils    []pupil // by node; belongs to Run
	studied   uint64  // the epoch whose master was asked for its commands; belongs to Run
	route     atomic.Pointer[health.Route]
	published chan struct{} // has a token after a route was published
}

// pupil is what one node was taught.
type pupil struct {
	mark    uint64 // scripts up to this one
	refused bool   // our user may not load scripts there; said once
}

// Tutor makes the tutor of this executor's servers. Call it before the executor is used.
func (x *Executor) Tutor(l Lessons) *Tutor {
	t := &Tutor{lessons: l, log: x.settings.Logger, mode: x.settings.Mode, nodes: x.nodes, pupils: make([]pupil, len(x.nodes)),
		published: make(chan struct{}, 1)}
	if t.log == nil {
		t.log = slog.New(slog.DiscardHandler)
	}
	t.route.Store(&health.Route{Backend: -1})
	x.tutor = t
	return t
}

// Run teaches until ctx ends.
func (t *Tutor) Run(ctx context.Context) error {
	ticker := time.NewTicker(teachEvery)
	defer ticker.Stop()
	defer t.close()
	for ticked := false; ; {
		r := *t.route.Load()
		if ticked || t.studied == 0 {
			t.study(ctx, r) // not in the first moment of a new master, when all clients come
		}
		t.teachAll(ctx, r)
		ticked = false
		select {
		case <-t.lessons.ScriptsChanged():
		case <-t.published:
		case <-ticker.C:
			ticked = true
		case <-ctx.Done():
			return nil
		}
	}
}

func (t *Tutor) close() {
	for _, n := range t.nodes {
		n.school.close() //nolint:errcheck // nothing is under way on it
	}
}

// follow takes note of a route; it never blocks.
func (t *Tutor) follow(r health.Route) {
	t.route.Store(&r)
	select {
	case t.published <- struct{}{}:
	default:
	}
}

// study asks a new master once which commands it has.
func (t *Tutor) study(ctx context.Context, r health.Route) {
	if r.Gate != health.GateOpen || r.Backend < 0 || r.Epoch == t.studied {
		return
	}
	n := t.nodes[r.Backend]
	err := n.talk(ctx, &n.school, teachMax, func(ctx context.Context, link *health.Link) error {
		reply, err := link.Do(ctx, "COMMAND").Slice()
		if err != nil {
			return n.wrap("ask for the commands of", err)
		}
		t.lessons.Learn(parseCommands(reply))
		return nil
	})
	switch {
	case err == nil:
		t.studied = r.Epoch
	case isReply(err):
		t.studied = r.Epoch // it will not say it the next second either
		t.log.Warn("commands of modules are not known, treating them as writes", "pool", n.settings.Name, "err", err)
	}
}

// teachAll tells every server that may become the master what it does not know yet.
func (t *Tutor) teachAll(ctx context.Context, r health.Route) {
	if (t.mode != health.Promote && t.mode != health.Follow) || r.Backend < 0 {
		return
	}
	for i := range t.nodes {
		if i != r.Backend && ctx.Err() == nil {
			t.teach(ctx, i)
		}
	}
}

// teach brings one node up to date. The newest script that it was taught tells whether it still knows them.
func (t *Tutor) teach(ctx context.Context, i int) {
	n, p := t.nodes[i], &t.pupils[i]
	all, next := t.lessons.Scripts(0)
	if len(all) == 0 {
		return
	}
	err := n.talk(ctx, &n.school, teachMax, func(ctx context.Context, link *health.Link) error {
		pending, _ := t.lessons.Scripts(p.mark)
		if known := len(all) - len(pending); known > 0 {
			canary, err := link.ScriptExists(ctx, all[known-1].SHA).Result()
			if err != nil {
				return n.wrap("ask for a script at", err)
			}
			if !slices.Contains(canary, true) {
				pending = all
			}
		}
		return n.load(ctx, link, pending)
	})
	switch {
	case err == nil:
		p.mark, p.refused = next, false
	case redis.HasErrorPrefix(err, "NOPERM") && !p.refused:
		p.refused = true
		t.log.Warn("scripts of clients are not made known, after a failover EVALSHA gets NOSCRIPT", "pool", n.settings.Name, "err", err)
	}
}

// hurry teaches a candidate what it lacks, right before its promotion.
func (t *Tutor) hurry(ctx context.Context, n *node) {
	all, _ := t.lessons.Scripts(0)
	if len(all) == 0 {
		return
	}
	err := n.talk(ctx, &n.command, hurryMax, func(ctx context.Context, link *health.Link) error {
		shas := make([]string, len(all))
		for i, s := range all {
			shas[i] = s.SHA
		}
		known, err := link.ScriptExists(ctx, shas...).Result()
		if err != nil {
			return n.wrap("ask for scripts at", err)
		}
		var lacks []Script
		for i, s := range all {
			if i >= len(known) || !known[i] {
				lacks = append(lacks, s)
			}
		}
		return n.load(ctx, link, lacks)
	})
	if err != nil {
		t.log.Warn("the last scripts of clients may not be known to the new master", "pool", n.settings.Name, "err", err)
	}
}

// load gives scripts to the server. One that it cannot compile is left out, as it was at the master.
func (n *node) load(ctx context.Context, link *health.Link, scripts []Script) error {
	for batch := range slices.Chunk(scripts, teachBatch) {
		replies, err := link.Pipelined(ctx, func(p redis.Pipeliner) error {
			for _, s := range batch {
				p.ScriptLoad(ctx, s.Body)
			}
			return nil
		})
		if err != nil && !isReply(err) {
			return n.wrap("load scripts at", err)
		}
		for _, r := range replies {
			if err := r.Err(); err != nil && !strings.HasPrefix(err.Error(), "ERR ") {
				return n.wrap("load a script at", err) // NOPERM, LOADING, BUSY: not a matter of the script
			}
		}
	}
	return nil
}

// parseCommands reads a server's reply to COMMAND. What it does not understand is left out.
func parseCommands(reply []any) (commands []Command) {
	for _, entry := range reply {
		info, ok := entry.([]any)
		if !ok || len(info) < 4 {
			continue
		}
		name, _ := info[0].(string)
		firstKey, _ := info[3].(int64)
		c := Command{Name: name, Keyed: firstKey != 0}
		flags, _ := info[2].([]any)
		for _, f := range flags {
			if flag, ok := f.(string); ok {
				c.Flags = append(c.Flags, flag)
				c.Keyed = c.Keyed || flag == "movablekeys"
			}
		}
		if name != "" {
			commands = append(commands, c)
		}
		if len(info) > 9 {
			subs, _ := info[9].([]any)
			commands = append(commands, parseCommands(subs)...)
		}
	}
	return commands
}
