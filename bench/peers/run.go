package peers

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"
)

// Options say what to measure and where to write it.
type Options struct {
	Holdfast   string    // the built binary; it has to be the one that calls Run, or other users would start another one
	CopyProxy  []string  // the command that runs CopyProxy, without its two addresses
	HoldPipes  []string  // the command that runs HoldPipes; one that other users may start; none: no row about it
	Out        string    // directory of the raw samples
	Quick      bool      // fewer and shorter blocks: numbers to work with, not to publish
	Rounds     int       // 0: as Quick says
	Rows       []string  // prefixes of row ids; none: all
	Contenders []string  // none: all
	Table      io.Writer // the table
	Progress   io.Writer // what happens meanwhile
}

// Settings are the lengths of a run.
type Settings struct {
	Rounds    int           `json:"rounds"`
	Every     int           `json:"every"` // in one round of so many all cells are measured, in the others those that need it often
	Block     time.Duration `json:"block_ns"`
	Traced    int           `json:"traced_requests"`
	IdleConns int           `json:"idle_conns"`
	IdleRest  time.Duration `json:"idle_rest_ns"`
	SlowMax   int           `json:"slow_rounds"` // rounds of the traces and of the memory scene, which vary little
}

// settings choose the lengths: about nine minutes, or less than two.
func (o Options) settings() Settings {
	s := Settings{
		Rounds: 13, Every: 3, Block: 400 * time.Millisecond, Traced: 2000,
		IdleConns: idleConnsMax(), IdleRest: 30 * time.Second, SlowMax: 3,
	}
	if o.Quick {
		s = Settings{
			Rounds: 3, Every: 1, Block: 150 * time.Millisecond, Traced: 600,
			IdleConns: min(idleConnsMax(), 1000), IdleRest: 3 * time.Second, SlowMax: 3,
		}
	}
	if o.Rounds > 0 {
		s.Rounds = o.Rounds
	}
	return s
}

// bench is one run.
type bench struct {
	options  Options
	settings Settings
	recipes  []recipe
	rows     []row
	wanted   map[string]bool // cells
	rate     float64         // of the open loop: half of what HAProxy reached, for every contender
	book     *book
	record   *Record
}

// Run measures, stores the raw samples and prints the table. That a row was not held is no error: the table says so.
func Run(ctx context.Context, o Options) error {
	chosen, err := chooseRows(o.Rows)
	if err != nil {
		return err
	}
	s := o.settings()
	b := &bench{
		options: o, settings: s, recipes: recipes(o), rows: chosen, wanted: cellsOf(chosen),
		book: &book{rounds: s.Rounds}, record: newRecord(ctx, o, s),
	}
	for _, name := range missing(b.recipes) {
		b.note("%s is not installed and not measured", name)
	}
	for _, r := range b.recipes {
		if !r.permitted() && asksFor(b.rows, r.name, "") {
			b.note("%s is not measured: only root starts a process of another user", r.name)
		}
	}
	for round := range s.Rounds {
		if err := b.round(ctx, round); err != nil {
			return fmt.Errorf("round %d: %w", round+1, err)
		}
	}
	return b.finish()
}

// finish judges the rows, stores everything and prints the table.
func (b *bench) finish() error {
	for _, r := range b.rows {
		b.record.Rows = append(b.record.Rows, b.book.judge(r))
	}
	b.record.Samples = b.book.samples
	b.record.Seconds = time.Since(b.record.Started).Seconds()
	b.warnOfCompany()
	b.warnOfNoCollection()
	path, err := b.record.write(b.options.Out)
	if err != nil {
		return err
	}
	if err := writeTable(b.options.Table, b.record.Rows); err != nil {
		return err
	}
	for _, note := range b.record.Notes {
		fmt.Fprintln(b.options.Table, "note:", note)
	}
	b.say("%d rounds in %.0f s; raw samples in %s", b.settings.Rounds, b.record.Seconds, path)
	return nil
}

// round measures each wanted cell that is due once for each contender.
func (b *bench) round(ctx context.Context, round int) error {
	b.say("round %d of %d", round+1, b.settings.Rounds)
	if err := b.timedRound(ctx, round); err != nil {
		return err
	}
	if b.slow(round) && b.wanted[cellIdle] {
		return b.memoryRound(ctx, round)
	}
	return nil
}

// full reports whether round measures every cell.
func (b *bench) full(round int) bool { return round%b.settings.Every == 0 }

// roundsOf is the number of rounds that measure c.
func (s Settings) roundsOf(c cell) int {
	if c.often {
		return s.Rounds
	}
	return (s.Rounds + s.Every - 1) / s.Every
}

// slow reports whether round has the traces and the memory scene, too.
func (b *bench) slow(round int) bool {
	return b.full(round) && round/b.settings.Every < b.settings.SlowMax
}

func (b *bench) timedRound(ctx context.Context, round int) error {
	r, err := startRig(ctx, b.recipes, b.names(nil))
	if err != nil {
		return err
	}
	defer r.close()
	if round == 0 {
		for _, t := range r.targets {
			b.record.Configs[t.name] = t.config
		}
	}
	if err := b.chooseRate(r); err != nil {
		return err
	}
	logged := int64(0)
	if t := r.find(holdfast); t != nil {
		logged = t.logSize() // the collections of the start are over
	}
	for i, c := range cells() {
		if !b.wanted[c.name] || !c.often && !b.full(round) {
			continue
		}
		for _, t := range rotated(inCell(r.targets, b.rows, c.name), round+i) {
			if err := b.measure(ctx, round, c, r, t); err != nil {
				return err
			}
		}
	}
	b.readPauses(round, r, logged)
	if b.slow(round) {
		return b.traceRound(ctx, round, r)
	}
	return nil
}

// measure runs one block. A contender that fails is noted and the run goes on: the others are still worth knowing.
func (b *bench) measure(ctx context.Context, round int, c cell, r *rig, t *target) error {
	if t.fault != nil {
		b.add(round, c.name, t.name, nil, t.fault)
		return nil
	}
	v, err := c.measure(ctx, block{
		cell: c, target: t, redis: r.redis.pid(), length: b.settings.Block * time.Duration(c.blocks), rate: b.rate,
	})
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	b.add(round, c.name, t.name, v, err)
	return nil
}

func (b *bench) add(round int, cell, contender string, v values, err error) {
	s := Sample{Round: round, Cell: cell, Contender: contender, Values: v}
	if err != nil {
		s.Values, s.Error = nil, err.Error()
		b.note("round %d, %s, %s: %v", round+1, cell, contender, err)
	}
	b.book.samples = append(b.book.samples, s)
}

// chooseRate finds, once, half of what the first configuration of HAProxy can do, or, without it, the last contender.
func (b *bench) chooseRate(r *rig) error {
	if b.rate > 0 || !b.wanted[cellHalf] {
		return nil
	}
	t := r.find(haproxyPlain)
	if t == nil {
		t = r.targets[len(r.targets)-1]
	}
	l, err := openLoader(t.address, 50, smallOps()...)
	if err != nil {
		return err
	}
	defer l.close()
	took, err := l.closed(2 * b.settings.Block)
	if err != nil {
		return fmt.Errorf("measure what %s can do: %w", t.name, err)
	}
	b.rate = float64(l.commands) / took.Seconds() / 2
	b.say("half load is %.0f requests per second", b.rate)
	return nil
}

// traceRound counts system calls. It comes after everything that is measured in time.
func (b *bench) traceRound(ctx context.Context, round int, r *rig) error {
	for cellName, conns := range map[string]int{cellCalls1: 1, cellCalls10: 10} {
		if !b.wanted[cellName] {
			continue
		}
		for _, t := range rotated(r.targets, round) {
			if t.proc == nil || !slices.Contains(memoryNames, t.name) {
				continue // the other configurations differ from HAProxy as installed only in bulk
			}
			v, err := measureCalls(ctx, t, r.dir, conns, b.settings.Traced)
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			b.add(round, cellName, t.name, v, err)
		}
	}
	return nil
}

func (b *bench) memoryRound(ctx context.Context, round int) error {
	r, err := startRig(ctx, b.recipes, b.names(memoryNames))
	if err != nil {
		return err
	}
	defer r.close()
	b.say("holding %d idle connections through each proxy", b.settings.IdleConns)
	found, err := measureMemory(ctx, r, b.settings.IdleConns, b.settings.IdleRest)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	for _, t := range r.targets {
		b.add(round, cellIdle, t.name, found[t.name], err)
	}
	return nil
}

// readPauses looks for collections of Holdfast while it was under load.
func (b *bench) readPauses(round int, r *rig, logged int64) {
	t := r.find(holdfast)
	if t == nil || !b.wanted[cellPause] {
		return
	}
	p, err := pausesSince(t.proc.log, logged)
	b.add(round, cellPause, holdfast, values{
		"pause_us": float64(p.Largest) / float64(time.Microsecond), "collections": float64(p.Collections),
	}, err)
}

// names are the contenders of a rig: those of the list that the options allow; no list is all.
func (b *bench) names(list []string) []string {
	var names []string
	for _, r := range b.recipes {
		allowed := len(b.options.Contenders) == 0 || slices.Contains(b.options.Contenders, r.name)
		if allowed && r.permitted() && asksFor(b.rows, r.name, "") && (list == nil || slices.Contains(list, r.name)) {
			names = append(names, r.name)
		}
	}
	return names
}

// rotated begins with another contender each time, so that nobody always runs first or after the same neighbour's heat.
func rotated[T any](list []T, by int) []T {
	if len(list) == 0 {
		return nil
	}
	by %= len(list)
	return slices.Concat(list[by:], list[:by])
}
