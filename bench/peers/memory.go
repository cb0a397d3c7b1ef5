package peers

import (
	"context"
	"fmt"
	"time"
)

const (
	// idleConns are held through each proxy at the same time, as far as the descriptors reach.
	idleConns = 5000
	// filesPerCopy is what one connection costs a proxy made of io.Copy: two sockets and two pipes. It holds fewer of them,
	// or it would run out of descriptors before the others.
	filesPerCopy = 6
	// settleMax bounds the wait for a process to stop changing its memory after connections were made.
	settleMax, settleSlack = 3 * time.Second, 64 << 10
	// burstWindow connections take their large reply at the same moment.
	burstWindow = 100
)

// memoryNames are compared in memory: the configuration as installed stands for HAProxy, the others only use more.
var memoryNames = []string{holdfast, haproxyPlain, nginxStream, copyProxy}

// idlers are the connections held through one contender.
type idlers struct {
	target *target
	load   *loader
	values values
}

// measureMemory holds idle connections through all contenders of a rig at once, lets each take one large reply, and leaves
// them alone for rest. It returns the values by contender.
func measureMemory(ctx context.Context, r *rig, conns int, rest time.Duration) (map[string]values, error) {
	var all []*idlers
	defer func() {
		for _, i := range all {
			i.load.close()
		}
	}()
	for _, t := range r.targets {
		i, err := holdIdle(ctx, t, share(t.name, conns))
		if err != nil {
			return nil, fmt.Errorf("hold idle connections through %s: %w", t.name, err)
		}
		all = append(all, i)
	}
	for _, i := range all {
		i.load.ops = []operation{get(64 << 10)}
		if err := i.load.each(burstWindow); err != nil {
			return nil, fmt.Errorf("take a large reply on each connection through %s: %w", i.target.name, err)
		}
	}
	if err := pause(ctx, rest); err != nil {
		return nil, err
	}
	found := map[string]values{}
	for _, i := range all {
		after, err := privateDirty(i.target.proc.pid())
		if err != nil {
			return nil, err
		}
		i.values["after_bytes"] = float64(after)
		i.values["rest_seconds"] = rest.Seconds()
		i.values["after_ratio"] = float64(after) / i.values["idle_bytes"]
		found[i.target.name] = i.values
	}
	return found, nil
}

// share is how many connections a contender holds.
func share(name string, conns int) int {
	if name == copyProxy {
		return conns * 2 / filesPerCopy
	}
	return conns
}

// idleConnsMax is how many connections the descriptors allow: the generator and the server hold those of all contenders.
func idleConnsMax() int {
	perConn := 3 + 2.0/filesPerCopy
	return min(idleConns, int(float64(filesMax()-2*spareFiles)/perConn))
}

// holdIdle opens conns connections, uses each once and measures what they cost.
func holdIdle(ctx context.Context, t *target, conns int) (*idlers, error) {
	if err := ping(t.address); err != nil { // what a first connection allocates once is not charged to the others
		return nil, err
	}
	base, err := settledMemory(ctx, t)
	if err != nil {
		return nil, err
	}
	filesBefore, err := openFiles(t.proc.pid())
	if err != nil {
		return nil, err
	}
	l, err := openLoader(t.address, conns, get(smallBytes))
	if err != nil {
		return nil, err
	}
	i := &idlers{target: t, load: l}
	if err := i.use(ctx, base, filesBefore); err != nil {
		l.close()
		return nil, err
	}
	return i, nil
}

func (i *idlers) use(ctx context.Context, base int64, filesBefore int) error {
	if err := i.load.each(burstWindow); err != nil {
		return err
	}
	idle, err := settledMemory(ctx, i.target)
	if err != nil {
		return err
	}
	files, err := openFiles(i.target.proc.pid())
	if err != nil {
		return err
	}
	n := float64(len(i.load.conns))
	i.values = values{
		"conns": n, "base_bytes": float64(base), "idle_bytes": float64(idle),
		"bytes_per_conn": float64(idle-base) / n, "files_per_conn": float64(files-filesBefore) / n,
	}
	return nil
}

// settledMemory reads the memory of a process once it stands still, or after settleMax.
func settledMemory(ctx context.Context, t *target) (int64, error) {
	const every, still = 100 * time.Millisecond, 3
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	last, same := int64(0), 0
	for end := time.Now().Add(settleMax); same < still && time.Now().Before(end); {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		}
		now, err := privateDirty(t.proc.pid())
		if err != nil {
			return 0, err
		}
		if now-last > settleSlack || last-now > settleSlack {
			last, same = now, 0
			continue
		}
		last = now
		same++
	}
	return last, nil
}
