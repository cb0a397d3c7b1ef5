package peers

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// smallBytes is the value of a small request: a session token or a counter with some text around it.
const smallBytes = 100

// smallOps are half reads and half writes.
func smallOps() []operation { return []operation{get(smallBytes), set(smallBytes)} }

// values are the numbers of one sample by name; the name carries the unit.
type values map[string]float64

// cell is one situation every contender is put into, for one block of time.
type cell struct {
	name    string
	conns   int
	ops     func() []operation // made when needed: some hold a MiB
	blocks  int                // how many blocks of time it takes, when one is too short for a percentile
	often   bool               // in every round: its ratio is near its limit, and one block of it wanders
	measure func(ctx context.Context, b block) (values, error)
}

// block is what one measurement is given.
type block struct {
	cell
	target *target
	redis  int // its process
	length time.Duration
	rate   float64 // requests per second of the open loop
}

// Names of cells, for the rows that look into them.
const (
	cellSmall1, cellSmall50, cellPipeline = "small-1", "small-50", "pipeline"
	cellGet16, cellSet16                  = "get-16k", "set-16k"
	cellGet64, cellSet64                  = "get-64k", "set-64k"
	cellGetMiB, cellSetMiB                = "get-1m", "set-1m"
	cellChurn, cellHalf                   = "churn", "half-load"
	cellCalls1, cellCalls10               = "calls-1", "calls-10"
	cellIdle, cellPause                   = "idle", "gc"
)

// warmShare of a block is run before it and not counted: connections, pipes and buffers get their final size in it.
const warmShare = 5

// bulkConns is enough to keep the proxy busy with 1 MiB values and few enough for the values to stay in the caches.
const bulkConns = 4

// cells are the situations measured by time, in the order they are run.
func cells() []cell {
	closedLoop := func(name string, conns int, ops func() []operation) cell {
		return cell{name: name, conns: conns, ops: ops, blocks: 1, measure: measureClosed}
	}
	only := func(make func(int) operation, size int) func() []operation {
		return func() []operation { return []operation{make(size)} }
	}
	often := func(c cell) cell {
		c.often = true
		return c
	}
	return []cell{
		often(closedLoop(cellSmall1, 1, smallOps)),
		often(closedLoop(cellSmall50, 50, smallOps)),
		often(closedLoop(cellPipeline, 50, func() []operation { return []operation{pipeline(16, smallOps()...)} })),
		closedLoop(cellGet16, 10, only(get, 16<<10)),
		closedLoop(cellSet16, 10, only(set, 16<<10)),
		closedLoop(cellGet64, 10, only(get, 64<<10)),
		closedLoop(cellSet64, 10, only(set, 64<<10)),
		closedLoop(cellGetMiB, bulkConns, only(get, 1<<20)),
		closedLoop(cellSetMiB, bulkConns, only(set, 1<<20)),
		{name: cellChurn, blocks: 1, measure: measureChurn},
		{name: cellHalf, conns: 50, ops: smallOps, blocks: 2, measure: measureOpen},
	}
}

// tick is the unit of /proc/stat, which Linux gives as 100 a second on every machine.
const tick = 10 * time.Millisecond

// meter reads the processor time of a proxy and of everything else at both ends of a block.
type meter struct {
	pid     int // 0: no proxy
	redis   int
	cpu     int64
	server  int64
	own     int64
	machine machineTicks
	start   time.Time
}

func startMeter(b block) (*meter, error) {
	m := &meter{redis: b.redis}
	if b.target.proc != nil {
		m.pid = b.target.proc.pid()
	}
	var err error
	if m.server, err = cpuNanos(m.redis); err != nil {
		return nil, err
	}
	if m.machine, err = readMachineTicks(); err != nil {
		return nil, err
	}
	m.own = ownCPU()
	m.start = time.Now()
	if m.pid != 0 {
		m.cpu, err = cpuNanos(m.pid)
	}
	return m, err
}

// stop returns the cost of each of n operations.
func (m *meter) stop(n int) (values, error) {
	v := values{"operations": float64(n), "seconds": time.Since(m.start).Seconds()}
	if n == 0 {
		return nil, fmt.Errorf("measure process %d: no operation was completed", m.pid)
	}
	own := ownCPU() - m.own
	rig := own
	if m.pid != 0 {
		cpu, err := cpuNanos(m.pid)
		if err != nil {
			return nil, err
		}
		v["cpu_ns"] = float64(cpu-m.cpu) / float64(n)
		rig += cpu - m.cpu
	}
	server, err := cpuNanos(m.redis)
	if err != nil {
		return nil, err
	}
	v["generator_cpu_ns"] = float64(own) / float64(n)
	v["redis_cpu_ns"] = float64(server-m.server) / float64(n)
	ticks, err := readMachineTicks()
	if err != nil {
		return nil, err
	}
	addMachine(v, m.machine, ticks, rig+server-m.server)
	return v, nil
}

// addMachine says what the whole machine did, and how much of it was not ours: rig nanoseconds were.
func addMachine(v values, before, after machineTicks, rig int64) {
	all, idle := float64(after.All-before.All), float64(after.Idle-before.Idle)
	if all <= 0 {
		return
	}
	v["machine_busy_share"] = 1 - idle/all
	v["machine_steal_share"] = float64(after.Steal-before.Steal) / all
	v["foreign_share"] = (all - idle - float64(rig)/float64(tick)) / all
}

// ownCPU is what the generator itself has used, so that a reader of the samples sees how much of the machine it took.
func ownCPU() int64 {
	var usage unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return usage.Utime.Nano() + usage.Stime.Nano()
}

func addLatency(v values, l *loader) {
	const micro = float64(time.Microsecond)
	for name, quantile := range map[string]float64{"p50_us": 50, "p90_us": 90, "p99_us": 99, "p999_us": 99.9} {
		v[name] = float64(l.latency.ValueAtQuantile(quantile)) / micro
	}
	v["max_us"] = float64(l.latency.Max()) / micro
}

func measureClosed(_ context.Context, b block) (values, error) {
	return b.loaded(func(l *loader, d time.Duration) error {
		_, err := l.closed(d)
		return err
	})
}

func measureOpen(_ context.Context, b block) (values, error) {
	v, err := b.loaded(func(l *loader, d time.Duration) error { return l.open(d, b.rate) })
	if err == nil {
		v["rate"] = b.rate
	}
	return v, err
}

// loaded measures one block of load after its warm-up.
func (b block) loaded(run func(l *loader, d time.Duration) error) (values, error) {
	l, err := openLoader(b.target.address, b.conns, b.ops()...)
	if err != nil {
		return nil, err
	}
	defer l.close()
	if _, err := l.closed(b.length / warmShare); err != nil {
		return nil, err
	}
	l.forget()
	m, err := startMeter(b)
	if err != nil {
		return nil, err
	}
	if err := run(l, b.length); err != nil {
		return nil, err
	}
	v, err := m.stop(l.commands)
	if err != nil {
		return nil, err
	}
	addLatency(v, l)
	return v, nil
}

// measureChurn counts the closing too: it waits until the proxy has closed what it had to close.
func measureChurn(ctx context.Context, b block) (values, error) {
	if _, err := churn(b.target.address, b.length/warmShare); err != nil {
		return nil, err
	}
	if err := b.settle(ctx); err != nil {
		return nil, err
	}
	m, err := startMeter(b)
	if err != nil {
		return nil, err
	}
	n, err := churn(b.target.address, b.length)
	if err != nil {
		return nil, err
	}
	if err := b.settle(ctx); err != nil {
		return nil, err
	}
	return m.stop(n)
}

// settle waits until the number of descriptors of a proxy stands still. It need not come back to what it was: some keep pipes
// for the next connection.
func (b block) settle(ctx context.Context) error {
	const still = 3 // looks that have to agree: a proxy that has been given a processor closes within one
	if b.target.proc == nil {
		return nil
	}
	last, same := -1, 0
	err := await(ctx, answerMax, func() (bool, error) {
		n, err := openFiles(b.target.proc.pid())
		if err != nil {
			return false, err
		}
		if n != last {
			last, same = n, 0
		}
		same++
		return same >= still, nil
	})
	if err != nil {
		return fmt.Errorf("wait until %s has closed its connections: %w", b.target.name, err)
	}
	return nil
}
