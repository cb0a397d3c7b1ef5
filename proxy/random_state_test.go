package proxy

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Thirty clients change their session at random, in pipelines, while routes come and go. Each knows what it has asked for,
// and whatever it asks later, it must still be so.
func TestRandomStates(t *testing.T) {
	if *seed == 0 {
		*seed = uint64(time.Now().UnixNano())
	}
	t.Logf("seed %d; repeat with -run TestRandomStates -seed %d", *seed, *seed)
	a, b := startRedis(t), startRedis(t)
	r := startProxy(t, func(o *PoolOptions) { o.RefuseCursors = true }, a, b)
	for _, s := range []*redisServer{a, b} {
		c := dialClient(t, s.addr)
		for db := range 4 {
			c.want("+OK", "SELECT", strconv.Itoa(db))
			c.want("+OK", "SET", "db", strconv.Itoa(db))
			for i := range 200 {
				c.want("+OK", "SET", fmt.Sprint("key", i), "v")
			}
		}
		c.want(shaOf("return 7"), "SCRIPT", "LOAD", "return 7")
	}
	lineages := [2]string{a.lineage(), b.lineage()}
	r.Publish(open(1, 0, lineages[0]))
	const clients = 30
	var stop atomic.Bool
	var running sync.WaitGroup
	faults := make(chan error, clients)
	var asked atomic.Int64
	for i := range clients {
		c, err := dialPlain(r.addr)
		if err != nil {
			t.Fatal(err)
		}
		m := &modelled{client: c, r: rand.New(rand.NewPCG(*seed, uint64(i))), proto: "2", cursor: "0"}
		running.Go(func() {
			defer c.close()
			for !stop.Load() {
				if err := m.pipeline(); err != nil {
					faults <- fmt.Errorf("client %d: %w", i, err)
					return
				}
			}
			asked.Add(int64(m.asked))
		})
	}
	dice := rand.New(rand.NewPCG(*seed, 1000))
	at := 0
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for epoch := uint64(2); epoch < uint64(2+*rounds) && len(faults) == 0; epoch++ {
		<-tick.C
		at = r.randomRoute(dice, epoch, at, lineages)
	}
	stop.Store(true)
	running.Wait()
	select {
	case err := <-faults:
		t.Fatal(err)
	default:
	}
	t.Logf("%d questions, %+v", asked.Load(), r.stats())
}

// modelled is a client that knows what its session is.
type modelled struct {
	*client
	r      *rand.Rand
	name   string
	id     string
	proto  string
	cursor string
	db     int
	asked  int
}

// question is a request and the judge of its reply.
type question struct {
	request string
	judge   func(reply string) bool
}

func exactly(want string) func(string) bool { return func(got string) bool { return got == want } }

func (m *modelled) pipeline() error {
	var all []question
	var text strings.Builder
	for range 1 + m.r.IntN(12) {
		for _, q := range m.ask() {
			all = append(all, q)
			text.WriteString(q.request)
		}
	}
	if _, err := m.nc.Write([]byte(text.String())); err != nil {
		return err
	}
	for i, q := range all {
		_ = m.nc.SetReadDeadline(time.Now().Add(20 * time.Second))
		got, err := m.decode()
		for err == nil && strings.HasPrefix(got, ">") {
			got, err = m.decode() // a cache that is told to forget
		}
		if err != nil {
			return fmt.Errorf("question %d of %d, %q: %w", i, len(all), q.request, err)
		}
		if !q.judge(got) {
			return fmt.Errorf("question %d of %d, %q: got %.200q; %+v", i, len(all), q.request, got, *m)
		}
		m.asked++
	}
	return nil
}

// ask makes one question, or a few that belong together, and notes what they change.
func (m *modelled) ask() []question {
	one := func(judge func(string) bool, args ...string) []question { return []question{{request(args...), judge}} }
	ok := exactly("+OK")
	switch m.r.IntN(13) {
	case 0:
		m.db = m.r.IntN(4)
		return one(ok, "SELECT", strconv.Itoa(m.db))
	case 1:
		m.name = fmt.Sprint("name", m.r.IntN(1000))
		return one(ok, "CLIENT", "SETNAME", m.name)
	case 2:
		want := m.name
		return one(func(got string) bool { return got == want || want == "" && (got == "nil" || got == "_") }, "CLIENT", "GETNAME")
	case 3:
		return one(m.sameID, "CLIENT", "ID")
	case 4:
		db, name := fmt.Sprintf(" db=%d ", m.db), fmt.Sprintf(" name=%s ", m.name)
		return one(func(got string) bool {
			_, id, _ := strings.Cut(got, "id=")
			id, _, _ = strings.Cut(id, " ")
			return strings.Contains(got, db) && strings.Contains(got, name) && m.sameID(":"+id)
		}, "CLIENT", "INFO")
	case 5:
		m.proto = strconv.Itoa(2 + m.r.IntN(2))
		return one(m.hello("proto :"+m.proto), "HELLO", m.proto)
	case 6, 7:
		return one(exactly(strconv.Itoa(m.db)), "GET", "db")
	case 8:
		return one(exactly(":7"), "EVALSHA_RO", shaOf("return 7"), "0")
	case 9:
		return m.block()
	case 10:
		return one(m.page, "SCAN", m.cursor, "COUNT", "20")
	case 11:
		return one(func(got string) bool { return strings.HasPrefix(got, "-ERR ") || strings.HasPrefix(got, "-WRONGPASS ") }, "AUTH", "x", "y")
	}
	on := "ON"
	if m.r.IntN(2) == 0 || m.proto == "2" {
		on = "OFF"
	}
	return one(ok, "CLIENT", "TRACKING", on)
}

// block selects another database in a transaction.
func (m *modelled) block() []question {
	before := strconv.Itoa(m.db)
	m.db = m.r.IntN(4)
	after := strconv.Itoa(m.db)
	queued := exactly("+QUEUED")
	return []question{
		{request("MULTI"), exactly("+OK")}, {request("GET", "db"), queued}, {request("SELECT", after), queued}, {request("CLIENT", "ID"), queued},
		{request("EXEC"), func(got string) bool {
			got, ok := strings.CutPrefix(strings.TrimSuffix(got, "]"), "*["+before+" +OK ")
			return ok && m.sameID(got)
		}},
	}
}

// sameID holds an id against the first one.
func (m *modelled) sameID(got string) bool {
	if m.id == "" && strings.HasPrefix(got, ":") && len(got) == len(":4503599627370496") {
		m.id = got
	}
	return got == m.id
}

func (m *modelled) hello(want string) func(string) bool {
	return func(got string) bool {
		_, id, _ := strings.Cut(got, " id ")
		id, _, _ = strings.Cut(id, " ")
		return strings.Contains(got, want) && m.sameID(id)
	}
}

// page takes a page of a scan, or the news that it has to begin again.
func (m *modelled) page(got string) bool {
	if got == stale {
		m.cursor = "0"
		return true
	}
	head, _, ok := strings.Cut(strings.TrimPrefix(got, "*["), " ")
	if _, err := strconv.ParseUint(head, 10, 64); err != nil || !ok {
		return false
	}
	m.cursor = head
	return true
}
