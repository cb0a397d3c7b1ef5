//go:build ignore

package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"
)

// rueidis makes one pipeline of what all goroutines ask, speaks RESP3, subscribes on the same connections, and keeps a cache on the
// client's side.
func main() {
	play(map[string]act{
		"counter": counter, "list": list, "pipeline": pipeline, "transaction": transaction, "watch": watch, "publish": publish,
		"blocking": blocking, "scripts": scripts, "session": session, "caching": caching,
	})
}

func connect(s *Scenario, change func(*rueidis.ClientOption)) rueidis.Client {
	o := rueidis.ClientOption{
		InitAddress: []string{endpoint()}, ForceSingleClient: true, ConnWriteTimeout: 2 * hungAfter,
		DialFn: func(address string, _ *net.Dialer, _ *tls.Config) (net.Conn, error) {
			return s.Dial(context.Background(), "tcp", address)
		},
	}
	if change != nil {
		change(&o)
	}
	c, err := rueidis.NewClient(o)
	if err != nil {
		s.Object("connect: %v", err)
	}
	return c
}

func end(s *Scenario, clients ...rueidis.Client) {
	s.ending.Store(true)
	for _, c := range clients {
		c.Close()
	}
}

// number asks for a number.
func number(s *Scenario, c rueidis.CoreClient, cmd rueidis.Completed) (Fate, int64) {
	var n int64
	f := s.Ask(func(ctx context.Context) (err error) {
		n, err = c.Do(ctx, cmd).AsInt64()
		if rueidis.IsRedisNil(err) {
			n, err = -1, nil
		}
		return err
	})
	return f, n
}

// plain asks for something of which only the success is of interest.
func plain(s *Scenario, c rueidis.CoreClient, cmd rueidis.Completed) Fate {
	return s.Ask(func(ctx context.Context) error { return c.Do(ctx, cmd).Error() })
}

func counter(s *Scenario, on func() bool) {
	c, n := connect(s, nil), Counter{s: s, name: "counter"}
	defer end(s, c)
	for on() {
		n.Took(number(s, c, c.B().Incr().Key("ru:counter").Build()))
	}
	if f, value := number(s, c, c.B().Get().Key("ru:counter").Build()); f == Done {
		n.Is(value)
	}
}

func list(s *Scenario, on func() bool) {
	c := connect(s, nil)
	defer end(s, c)
	for part := 0; on(); part++ {
		key, ledger := fmt.Sprintf("ru:list:%d", part), Ledger{s: s, fates: map[int]Fate{}}
		for id := 0; id < 500 && on(); id++ {
			ledger.Wrote(id, plain(s, c, c.B().Rpush().Key(key).Element(strconv.Itoa(id)).Build()))
		}
		var all []string
		f := s.Ask(func(ctx context.Context) (err error) {
			all, err = c.Do(ctx, c.B().Lrange().Key(key).Start(0).Stop(-1).Build()).AsStrSlice()
			return err
		})
		if f == Done {
			ledger.Check(all)
		}
		plain(s, c, c.B().Del().Key(key).Build())
	}
}

// tally checks a counter that many raise at once, whose replies come in any order.
type tally struct {
	mu          sync.Mutex // guards what follows
	seen        map[int64]bool
	done, maybe int64
}

// took takes an increment. A value that was given before means that the increment which got it is lost.
func (t *tally) took(s *Scenario, f Fate, value int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case f == Unknown:
		t.maybe++
	case f == Done && t.seen[value]:
		s.add(&s.line.Lost, 1)
	case f == Done:
		t.seen[value] = true
		t.done++
	}
}

// pipeline has twenty goroutines ask at once, which the library sends together.
func pipeline(s *Scenario, on func() bool) {
	c, n := connect(s, nil), tally{seen: map[int64]bool{}}
	defer end(s, c)
	var asking sync.WaitGroup
	for i := range 20 {
		asking.Go(func() {
			key, register := fmt.Sprintf("ru:pipe:%d", i), Register{s: s, name: fmt.Sprintf("value %d", i), fates: map[int]Fate{}, newest: -1}
			for round := 0; on(); round++ {
				register.Wrote(round, plain(s, c, c.B().Set().Key(key).Value(strconv.Itoa(round)).Build()))
				if f, read := number(s, c, c.B().Get().Key(key).Build()); f == Done {
					register.Read(int(read))
				}
				raised, value := number(s, c, c.B().Incr().Key("ru:pipe:n").Build())
				n.took(s, raised, value)
			}
		})
	}
	asking.Wait()
	if f, value := number(s, c, c.B().Get().Key("ru:pipe:n").Build()); f == Done && value > n.done+n.maybe {
		s.Object("the counter is %d, %d increments were answered and %d more may have been executed", value, n.done, n.maybe)
	}
}

// transaction raises two counters in a block that the library sends at once.
func transaction(s *Scenario, on func() bool) {
	c, n := connect(s, nil), Counter{s: s, name: "transaction"}
	defer end(s, c)
	for on() {
		var reply []rueidis.RedisMessage
		f := s.Ask(func(ctx context.Context) (err error) {
			all := c.DoMulti(ctx, c.B().Multi().Build(), c.B().Incr().Key("ru:tx:a").Build(), c.B().Incr().Key("ru:tx:b").Build(),
				c.B().Get().Key("ru:tx:a").Build(), c.B().Exec().Build())
			reply, err = all[len(all)-1].ToArray()
			return err
		})
		if f != Done {
			n.Took(f, 0)
			continue
		}
		if len(reply) != 3 {
			s.Object("transaction has %d replies", len(reply))
			continue
		}
		a, _ := reply[0].AsInt64()
		b, _ := reply[1].AsInt64()
		read, _ := reply[2].AsInt64()
		if a != b || a != read {
			s.Object("transaction is torn: %d, %d, %d", a, b, read)
		}
		n.Took(f, a)
	}
}

func watch(s *Scenario, on func() bool) {
	c, n := connect(s, nil), Counter{s: s, name: "watched counter"}
	defer end(s, c)
	for on() {
		d, release := c.Dedicate()
		watchOnce(s, d, &n)
		release()
	}
}

func watchOnce(s *Scenario, d rueidis.DedicatedClient, n *Counter) {
	if plain(s, d, d.B().Watch().Key("ru:watched").Build()) != Done {
		return
	}
	f, read := number(s, d, d.B().Get().Key("ru:watched").Build())
	if f != Done {
		plain(s, d, d.B().Unwatch().Build())
		return
	}
	read = max(read, 0)
	n.Is(read)
	changed := false
	f = s.Ask(func(ctx context.Context) error {
		all := d.DoMulti(ctx, d.B().Multi().Build(), d.B().Set().Key("ru:watched").Value(strconv.FormatInt(read+1, 10)).Build(),
			d.B().Exec().Build())
		err := all[len(all)-1].Error()
		if changed = rueidis.IsRedisNil(err); changed {
			return nil
		}
		return err
	})
	if changed {
		s.add(&s.line.Nulls, 1)
	} else {
		n.Took(f, read+1)
	}
}

func publish(s *Scenario, on func() bool) {
	from, to := connect(s, nil), connect(s, nil)
	sequences := map[string]*Sequence{}
	for _, channel := range []string{"ru:news", "ru:pattern:x"} {
		sequences[channel] = &Sequence{s: s, last: -1, refused: map[int]bool{}}
	}
	listening, stop := context.WithCancel(context.Background())
	var listeners sync.WaitGroup
	plainly, byPattern := to.B().Subscribe().Channel("ru:news").Build(), to.B().Psubscribe().Pattern("ru:pattern:*").Build()
	for _, cmd := range []rueidis.Completed{plainly, byPattern} {
		listeners.Go(func() {
			err := to.Receive(listening, cmd, func(m rueidis.PubSubMessage) { sequences[m.Channel].Got(m.Message) })
			if listening.Err() == nil {
				s.Object("a subscription ended: %v", err)
			}
		})
	}
	subscribed := func() bool {
		_, patterns := number(s, from, from.B().PubsubNumpat().Build())
		var found map[string]int64
		s.Ask(func(ctx context.Context) (err error) {
			found, err = from.Do(ctx, from.B().PubsubNumsub().Channel("ru:news").Build()).AsIntMap()
			return err
		})
		return patterns > 0 && found["ru:news"] > 0
	}
	until(5*time.Second, subscribed)
	sent := 0
	for ; on(); sent++ {
		for channel, q := range sequences {
			if plain(s, from, from.B().Publish().Channel(channel).Message(strconv.Itoa(sent)).Build()) == Refused {
				q.Refuse(sent)
			}
		}
		pause(time.Millisecond)
	}
	all := func() bool {
		return sequences["ru:news"].Last() == sent-1 && sequences["ru:pattern:x"].Last() == sent-1
	}
	if !until(3*time.Second, all) {
		for _, q := range sequences {
			s.add(&s.line.Missed, sent-1-q.Last())
		}
	}
	stop()
	end(s, from, to)
	listeners.Wait()
}

// blocking has a consumer that waits most of the time: failovers find it blocked.
func blocking(s *Scenario, on func() bool) {
	producer, consumer := connect(s, nil), connect(s, nil)
	defer end(s, producer, consumer)
	var mu sync.Mutex // guards fates and popped
	fates, popped := map[int]Fate{}, map[int]bool{}
	var running atomic.Bool
	running.Store(true)
	took := func(id int, last *int) {
		mu.Lock()
		defer mu.Unlock()
		if fates[id] == Refused {
			s.Object("entry %d was refused and came", id)
		}
		if popped[id] {
			s.add(&s.line.Lost, 1) // it was popped before, and that was acknowledged
		} else if id < *last {
			s.Object("entry %d came after %d", id, *last)
		}
		popped[id], *last = true, max(*last, id)
	}
	consume := func() {
		last := -1
		for idle := 0; running.Load() || idle < 2; {
			var got []string
			f := s.Ask(func(ctx context.Context) (err error) {
				got, err = consumer.Do(ctx, consumer.B().Blpop().Key("ru:queue").Timeout(1).Build()).AsStrSlice()
				if rueidis.IsRedisNil(err) {
					err = nil
				}
				return err
			})
			if f == Done && len(got) < 2 {
				idle++
			} else if f == Done {
				idle = 0
				id, err := strconv.Atoi(got[1])
				if err != nil {
					s.Object("popped %q", got)
				}
				took(id, &last)
			}
		}
	}
	var consuming sync.WaitGroup
	consuming.Go(consume)
	for id := 0; on(); id++ {
		mu.Lock()
		fates[id] = Unknown
		mu.Unlock()
		f := plain(s, producer, producer.B().Rpush().Key("ru:queue").Element(strconv.Itoa(id)).Build())
		mu.Lock()
		fates[id] = f
		mu.Unlock()
		wait := 5 + id%7*10
		if id%10 == 9 {
			wait = 400 // a failover finds it blocked for good
		}
		pause(time.Duration(wait) * time.Millisecond)
	}
	running.Store(false)
	consuming.Wait()
	for id, f := range fates {
		if f == Done && !popped[id] {
			s.add(&s.line.Missed, 1)
		}
	}
}

func scripts(s *Scenario, on func() bool) {
	c, n := connect(s, nil), Counter{s: s, name: "counter of the script"}
	defer end(s, c)
	script := rueidis.NewLuaScript(`local n = redis.call('INCR', KEYS[1])
redis.call('SET', KEYS[2], ARGV[1])
return {n, ARGV[1], redis.call('GET', KEYS[2])}`)
	for i := 0; on(); i++ {
		word := fmt.Sprintf("v%d", i)
		var reply []rueidis.RedisMessage
		f := s.Ask(func(ctx context.Context) (err error) {
			reply, err = script.Exec(ctx, c, []string{"ru:script:n", "ru:script:v"}, []string{word}).ToArray()
			return err
		})
		if f != Done || len(reply) != 3 {
			n.Took(f, 0)
			continue
		}
		count, _ := reply[0].AsInt64()
		echo, _ := reply[1].ToString()
		read, _ := reply[2].ToString()
		if echo != word || read != word {
			s.Object("script answered %s, %s to %s", echo, read, word)
		}
		n.Took(f, count)
	}
}

func session(s *Scenario, on func() bool) {
	c := connect(s, func(o *rueidis.ClientOption) { o.SelectDB, o.ClientName = 3, "ru-session" })
	other := connect(s, nil)
	defer end(s, c, other)
	register := Register{s: s, name: "value in database 3", fates: map[int]Fate{}, newest: -1}
	for round := 0; on(); round++ {
		var name string
		f := s.Ask(func(ctx context.Context) (err error) {
			name, err = c.Do(ctx, c.B().ClientGetname().Build()).ToString()
			return err
		})
		if f == Done && name != "ru-session" {
			s.Object("the connection is called %q", name)
		}
		register.Wrote(round, plain(s, c, c.B().Set().Key("ru:session").Value(strconv.Itoa(round)).Build()))
		if f, read := number(s, c, c.B().Get().Key("ru:session").Build()); f == Done {
			register.Read(int(read))
		}
		pause(2 * time.Millisecond)
	}
	if f, n := number(s, other, other.B().Exists().Key("ru:session").Build()); f == Done && n != 0 {
		s.Object("a key of database 3 is in database 0")
	}
}

// caching has one client write and another read through its cache, which asks in a transaction behind CLIENT CACHING. Once a write is
// acknowledged the cache may be behind for as long as the invalidation travels, and no longer.
func caching(s *Scenario, on func() bool) {
	reader, writer := connect(s, nil), connect(s, nil)
	defer end(s, reader, writer)
	hits := 0
	for round := 0; on(); round++ {
		key := fmt.Sprintf("ru:cached:%d", round%10)
		if plain(s, writer, writer.B().Set().Key(key).Value(strconv.Itoa(round)).Build()) != Done {
			continue
		}
		seen := int64(-1)
		fresh := func() bool {
			s.Ask(func(ctx context.Context) (err error) {
				r := reader.DoCache(ctx, reader.B().Get().Key(key).Cache(), time.Minute)
				if seen, err = r.AsInt64(); rueidis.IsRedisNil(err) {
					seen, err = -1, nil
				}
				if r.IsCacheHit() {
					hits++
				}
				return err
			})
			return seen == int64(round)
		}
		if !until(2*time.Second, fresh) {
			f, value := number(s, writer, writer.B().Get().Key(key).Build())
			if f == Done && value == seen {
				s.add(&s.line.Lost, 1) // the cache is right, and the write is gone
			} else {
				s.Object("the cache says %d for 2 s, the server %d, written was %d", seen, value, round)
			}
		}
		fresh()
		if round%50 == 49 {
			pause(1500 * time.Millisecond) // failovers find a full cache that nobody asks
		}
	}
	if hits == 0 {
		s.Object("the cache was never used")
	}
}
