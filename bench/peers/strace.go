package peers

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// traceRest is how long a proxy is watched doing nothing. What it calls then, such as its health checks, has nothing to do
// with requests and is taken off in proportion to time.
const traceRest = 500 * time.Millisecond

// calls are system calls by name.
type calls map[string]int64

func (c calls) total() int64 {
	var sum int64
	for _, n := range c {
		sum += n
	}
	return sum
}

// trace counts the system calls of all threads of a process while during runs. A traced process is many times slower, so
// nothing but the counts is used.
func trace(ctx context.Context, pid int, dir string, during func() error) (calls, time.Duration, error) {
	log, out := filepath.Join(dir, "strace.log"), filepath.Join(dir, "strace.out")
	for _, old := range []string{log, out} {
		_ = os.Remove(old) // of the trace before; usually there is none
	}
	program, err := programPath("strace")
	if err != nil {
		return nil, 0, err
	}
	tracer, err := startChild("strace", log, nil, program, "-f", "-c", "-o", out, "-p", strconv.Itoa(pid))
	if err != nil {
		return nil, 0, err
	}
	defer tracer.end()
	if err := await(ctx, answerMax, func() (bool, error) { return attached(log, pid), nil }); err != nil {
		return nil, 0, fmt.Errorf("attach strace to process %d: %w\n%s", pid, err, tracer.lastWords())
	}
	start := time.Now()
	if err := during(); err != nil {
		return nil, 0, err
	}
	took := time.Since(start)
	if err := tracer.cmd.Process.Signal(syscall.SIGINT); err != nil {
		return nil, 0, fmt.Errorf("stop strace of process %d: %w", pid, err)
	}
	select {
	case <-tracer.done:
	case <-time.After(answerMax):
		return nil, 0, fmt.Errorf("stop strace of process %d: %w", pid, errTooLong)
	}
	data, err := os.ReadFile(out)
	if err != nil {
		return nil, 0, fmt.Errorf("read counts of process %d: %w", pid, err)
	}
	counted, err := parseStrace(data)
	return counted, took, err
}

// attached looks for the line strace writes when it has every thread, "strace: Process 7 attached with 5 threads" or without
// the number.
func attached(log string, pid int) bool {
	data, err := os.ReadFile(log)
	return err == nil && bytes.Contains(data, fmt.Appendf(nil, "Process %d attached", pid))
}

// parseStrace reads the table of strace -c: % time, seconds, usecs/call, calls, errors (may be empty), name.
func parseStrace(data []byte) (calls, error) {
	counted := calls{}
	rules := 0
	for line := range bytes.Lines(data) {
		text := strings.TrimSpace(string(line))
		if strings.HasPrefix(text, "---") {
			rules++
			continue
		}
		fields := strings.Fields(text)
		if rules != 1 || len(fields) < 5 {
			continue
		}
		n, err := strconv.ParseInt(fields[3], 10, 64)
		if err != nil || n < 0 {
			return nil, fmt.Errorf("read counts of strace: line %q: %w", text, errProcFormat)
		}
		counted[fields[len(fields)-1]] += n
	}
	return counted, nil
}

// measureCalls counts what one small request costs in system calls.
func measureCalls(ctx context.Context, t *target, dir string, conns, requests int) (values, error) {
	l, err := openLoader(t.address, conns, smallOps()...)
	if err != nil {
		return nil, err
	}
	defer l.close()
	if _, err := l.count(10 * conns); err != nil { // no connection is dialled while the calls are counted
		return nil, err
	}
	rest, restTime, err := trace(ctx, t.proc.pid(), dir, func() error { return pause(ctx, traceRest) })
	if err != nil {
		return nil, err
	}
	l.forget()
	busy, busyTime, err := trace(ctx, t.proc.pid(), dir, func() error {
		_, err := l.count(requests)
		return err
	})
	if err != nil {
		return nil, err
	}
	n := float64(l.commands)
	aside := float64(rest.total()) * busyTime.Seconds() / restTime.Seconds()
	v := values{"calls": (float64(busy.total()) - aside) / n, "calls_with_rest": float64(busy.total()) / n, "commands": n}
	for name, count := range busy {
		v["call_"+name] = float64(count) / n
	}
	return v, nil
}

// pause waits for d, or for the end of ctx.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
