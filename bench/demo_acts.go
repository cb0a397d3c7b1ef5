package bench

import (
	"context"
	"time"
)

// demoFreeze is how long the second act's master is silent: three times the default patience with silence.
const demoFreeze = 3 * time.Second

// acts are the three faults of the demo, from the bluntest to the most polite.
func acts() []act {
	return []act{
		{title: "1  SIGKILL of the master", short: "SIGKILL", gapMax: gapKill, commit: kill, repair: restart},
		{title: "2  SIGSTOP of the master, woken 3 s later", short: "SIGSTOP 3 s", gapMax: gapFreeze, commit: stop, repair: wake},
		{title: "3  Planned switchover", short: "switchover", gapMax: gapSwitchover, clean: true, commit: handOver, repair: demoted},
	}
}

func kill(_ context.Context, d *demo) error {
	d.screen.event("kill -KILL %d   the master %s is gone", d.victim.proc.cmd.Process.Pid, d.victim.Name)
	return d.kill(d.victim)
}

// restart is what a service manager would do: the same server with the same arguments, without data.
func restart(ctx context.Context, d *demo) error {
	d.screen.event("%s is started again, empty", d.victim.Name)
	return demotedAfter(ctx, d, d.victim.RestartEmpty)
}

func stop(_ context.Context, d *demo) error {
	d.screen.event("kill -STOP %d   the master %s answers nobody", d.victim.proc.cmd.Process.Pid, d.victim.Name)
	d.frozen = time.Now()
	d.load.tally.fault()
	return d.victim.Freeze()
}

// wake lets the frozen master go on, long after somebody else took over.
func wake(ctx context.Context, d *demo) error {
	return demotedAfter(ctx, d, func(ctx context.Context) error {
		if err := pause(ctx, time.Until(d.frozen.Add(demoFreeze))); err != nil {
			return err
		}
		d.screen.event("kill -CONT %d   %s wakes up and believes that it is the master", d.victim.proc.cmd.Process.Pid, d.victim.Name)
		return d.victim.Wake()
	})
}

func handOver(ctx context.Context, d *demo) error {
	d.screen.event("holdfast switchover %s", d.daemon.Pool)
	_, err := d.daemon.Switchover(ctx)
	return err
}

func demoted(ctx context.Context, d *demo) error {
	return demotedAfter(ctx, d, func(context.Context) error { return nil })
}

// demotedAfter waits for the old master to follow the new one.
func demotedAfter(ctx context.Context, d *demo, first func(context.Context) error) error {
	if err := first(ctx); err != nil {
		return err
	}
	if err := d.victim.WaitRole(ctx, "slave", servedMax); err != nil {
		return err
	}
	if err := d.waitSynced(ctx); err != nil {
		return err
	}
	d.screen.event("%s is a replica now, in sync", d.victim.Name)
	return nil
}

// demoPromises judges the whole demo.
func demoPromises(results []result, n Counts, v Verification, lossAge time.Duration, atRisk int) []Promise {
	var r Report
	for _, res := range results {
		name := res.act.short + ": "
		r.promise(res.after == res.before && res.before > 0, name+"every client stays connected", "%d of %d", res.after, res.before)
		r.promise(res.gap <= res.act.gapMax, name+"gap at most "+ms(res.act.gapMax), "%s", ms(res.gap))
		r.promise(res.readsFailed == 0, name+"no read fails", "%d failed", res.readsFailed)
		if res.act.clean {
			r.promise(errorText(res.errors) == "none", name+"no error", "%s", errorText(res.errors))
		} else {
			r.promise(onlyDocumented(res.errors), name+"only documented errors, for what was in flight", "%s", errorText(res.errors))
		}
	}
	r.judgeLoss(n, v, lossAge, atRisk)
	r.promise(v.Duplicates == 0, "nothing runs twice", "%d duplicates", v.Duplicates)
	misplaced := v.Phantoms + v.Disorder + v.Torn + v.Stray
	r.promise(misplaced == 0 && n.Wrong == 0, "every reply and every key is where it belongs", "%d, %d not", n.Wrong, misplaced)
	r.promise(n.Hung == 0 && n.Disconnects == 0, "no request hangs, no connection breaks", "%d, %d", n.Hung, n.Disconnects)
	return r.Promises
}
