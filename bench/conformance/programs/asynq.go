//go:build ignore

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
)

const (
	// settle is what remains of a run when no more tasks are made: queues are polled every second.
	settle = 5 * time.Second
	// settleMax bounds the wait for the last of them.
	settleMax = 15 * time.Second
	// workers is how many tasks a server works on at a time.
	workers = 8
)

var errOnPurpose = errors.New("the first attempt fails on purpose")

// asynq is a queue of tasks made of scripts, which promises to do each task at least once. Each scenario has a queue of its own, and
// knows of each task whether it was taken and how often it was done.
func main() {
	play(map[string]act{
		"queue": tasks(func(int) []asynq.Option { return nil }, nil),
		"delayed": tasks(func(id int) []asynq.Option {
			return []asynq.Option{asynq.ProcessIn(time.Duration(id%4) * 500 * time.Millisecond)}
		}, nil),
		"retried": tasks(func(int) []asynq.Option { return nil }, func(id int) bool { return id%5 == 0 }),
	})
}

// connection is where asynq gets its connections from.
type connection struct{ s *Scenario }

func (c connection) MakeRedisClient() any {
	return redis.NewClient(&redis.Options{Addr: endpoint(), Dialer: c.s.Dial, ReadTimeout: hungAfter})
}

// book is what a scenario knows of its tasks.
type book struct {
	s     *Scenario
	mu    sync.Mutex // guards what follows
	fates map[int]Fate
	tried map[int]int
	done  map[int]int
}

func (b *book) made(id int, f Fate) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fates[id] = f
}

// begin notes an attempt and says whether it is the first.
func (b *book) begin(id int) (first bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tried[id]++
	return b.tried[id] == 1
}

func (b *book) finish(id int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.done[id]++
	b.s.add(&b.s.line.Ops, 1)
}

// open counts the tasks that were taken and are not done.
func (b *book) open() (ids []int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for id, f := range b.fates {
		if f == Done && b.done[id] == 0 {
			ids = append(ids, id)
		}
	}
	return ids
}

// tasks makes a scenario: options of each task, and which of them fail once.
func tasks(options func(id int) []asynq.Option, fails func(id int) bool) act {
	return func(s *Scenario, on func() bool) {
		queue := s.line.Scenario
		b := &book{s: s, fates: map[int]Fate{}, tried: map[int]int{}, done: map[int]int{}}
		server := asynq.NewServer(connection{s}, asynq.Config{
			Concurrency: workers, Queues: map[string]int{queue: 1}, Logger: logger{s}, LogLevel: asynq.WarnLevel,
			DelayedTaskCheckInterval: 200 * time.Millisecond,
			RetryDelayFunc:           func(int, error, *asynq.Task) time.Duration { return 100 * time.Millisecond },
		})
		work := func(_ context.Context, t *asynq.Task) error {
			id, err := strconv.Atoi(string(t.Payload()))
			if err != nil {
				s.Object("a task says %q", t.Payload())
			}
			if first := b.begin(id); first && fails != nil && fails(id) {
				return errOnPurpose
			}
			b.finish(id)
			return nil
		}
		if err := server.Start(asynq.HandlerFunc(work)); err != nil {
			s.Object("start the server: %v", err)
			return
		}
		client := asynq.NewClient(connection{s})
		b.produce(client, queue, on, options)
		until(settleMax, func() bool { return len(b.open()) == 0 })
		b.judge(queue)
		s.ending.Store(true)
		server.Shutdown()
		client.Close()
	}
}

// produce makes tasks, each with an id that asynq takes only once.
func (b *book) produce(client *asynq.Client, queue string, on func() bool, options func(id int) []asynq.Option) {
	seconds, _ := strconv.Atoi(os.Getenv("SECONDS")) // play has read it before
	end := time.Now().Add(time.Duration(seconds)*time.Second - settle)
	for id := 0; on() && time.Now().Before(end); id++ {
		task := asynq.NewTask("work", []byte(strconv.Itoa(id)))
		more := append(options(id), asynq.Queue(queue), asynq.TaskID(fmt.Sprintf("%s-%d", queue, id)), asynq.MaxRetry(10))
		b.made(id, Unknown)
		b.made(id, b.s.Ask(func(ctx context.Context) error {
			_, err := client.EnqueueContext(ctx, task, more...)
			return err
		}))
		pause(2 * time.Millisecond)
	}
}

// judge compares what was asked for with what was done. A task that a worker was given by a script of unknown outcome waits for its
// lease of 30 s to run out, as after any worker that died; asynq knows it, so it is not lost.
func (b *book) judge(queue string) {
	inspector := asynq.NewInspector(connection{b.s})
	defer inspector.Close()
	for _, id := range b.open() {
		var info *asynq.TaskInfo
		var found error
		b.s.Ask(func(context.Context) error {
			info, found = inspector.GetTaskInfo(queue, fmt.Sprintf("%s-%d", queue, id))
			if errors.Is(found, asynq.ErrTaskNotFound) {
				return nil
			}
			return found
		})
		switch {
		case found != nil:
			b.s.add(&b.s.line.Lost, 1)
		case info.State == asynq.TaskStateActive:
			b.s.add(&b.s.line.Missed, 1)
		default:
			b.s.Object("task %d is %s %s after the end", id, info.State, settleMax)
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for id, n := range b.done {
		fate, made := b.fates[id]
		switch {
		case !made:
			b.s.Object("task %d was never made", id)
		case fate == Refused:
			b.s.Object("task %d was refused and is done", id)
		case n > 1:
			b.s.add(&b.s.line.Lost, n-1) // that a worker had it, or was done with it, was acknowledged and is gone
		}
	}
}

// logger takes what asynq says of requests that failed.
type logger struct{ s *Scenario }

func (l logger) Debug(...any) {}
func (l logger) Info(...any)  {}

func (l logger) Warn(args ...any) {
	text := fmt.Sprint(args...)
	switch {
	case documented.MatchString(text):
		l.s.Failed(errors.New(text))
	case strings.Contains(text, "NOT_FOUND"):
		l.s.add(&l.s.line.Lost, 1) // a worker had the task, and the server does not know
	case strings.HasPrefix(text, "Could not move task"): // asynq does not say why; it will try again
	default:
		l.s.Object("asynq says: %s", text)
	}
}

func (l logger) Error(args ...any) { l.Warn(args...) }
func (l logger) Fatal(args ...any) { l.s.Object("asynq gave up: %s", fmt.Sprint(args...)) }
