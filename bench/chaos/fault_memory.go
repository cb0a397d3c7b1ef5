package chaos

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"holdfast/bench"
)

const (
	// oomRoom is how much memory more the master may take before the kernel kills it, in bytes: less than one large request needs.
	oomRoom = 4 << 20
	// oomRequest is the request for which there is no room, in bytes.
	oomRequest = 64 << 20
)

// memoryFaults are masters that die of memory, by the kernel's hand or by their own.
func memoryFaults() []fault {
	return []fault{
		{name: "oom-kill", text: "the kernel kills the master for want of memory in its control group", promotions: once(), gapMax: gapKill,
			root: true, group: true, commit: killByKernel},
		{name: "oom-abort", text: "the master gets no more address space and aborts", promotions: once(), gapMax: gapKill, commit: abortMaster},
	}
}

// killByKernel writes a large value to a master that may take no more memory: it dies in the middle of the request.
func killByKernel(ctx context.Context, c *cycle) (err error) {
	group, err := newMemoryGroup(c.old.Name, oomRoom)
	if err != nil {
		return err
	}
	c.later(func(context.Context) error { return group.close() })
	if err := group.add(c.old.PID()); err != nil {
		return err
	}
	if err := c.starve(ctx, strings.Repeat("o", oomRequest)); err != nil {
		return err
	}
	n, err := group.kills()
	if err == nil && n != 1 {
		err = fmt.Errorf("starve %s: the kernel has killed %d processes, want 1", c.old.Name, n)
	}
	if err != nil {
		return err
	}
	return c.promoted(ctx, 1)
}

// abortMaster announces a value for which there is no room: a server that gets no memory says so and ends itself.
func abortMaster(ctx context.Context, c *cycle) error {
	if err := limitAddressSpace(c.old.PID()); err != nil {
		return err
	}
	if err := c.starve(ctx, ""); err != nil {
		return err
	}
	if log, err := readFrom(serverLog(c.old), c.logs[c.old.Name]); err != nil || !strings.Contains(log, "Out Of Memory allocating") {
		return errors.Join(fmt.Errorf("starve %s: it died of something else", c.old.Name), err)
	}
	return c.promoted(ctx, 1)
}

// starve sends the header of a large value and as much of its body as is given, and waits for the end of the master.
func (c *cycle) starve(ctx context.Context, body string) error {
	raw, err := c.old.Dial(ctx)
	if err != nil {
		return err
	}
	defer raw.Close()
	header := fmt.Sprintf("*3\r\n$3\r\nSET\r\n$11\r\nrig:ballast\r\n$%d\r\n", oomRequest)
	if err := raw.SetDeadline(time.Now().Add(queryMax)); err != nil {
		return err
	}
	_, _ = raw.Write([]byte(header + body)) // it fails when the master dies under it
	return c.ended(ctx, c.old)
}

// ended waits until a process is gone by itself.
func (c *cycle) ended(ctx context.Context, s *bench.Server) error {
	return await(ctx, queryMax, func(context.Context) error {
		if s.Alive() {
			return fmt.Errorf("%s is still there", s.Name)
		}
		return nil
	})
}
