package proxy

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// publisher sends the numbers from 1 on to a channel, one after the other, until stop, and keeps each answer.
type publisher struct {
	*client
	answers  []string
	err      error
	answered atomic.Int64 // len(answers), for readers outside
	sure     int64        // up to this message the answer's number of receivers must be the truth
}

func (p *publisher) run(channel string, stop <-chan struct{}) {
	for i := 1; p.err == nil; i++ {
		select {
		case <-stop:
			return
		default:
		}
		if _, p.err = p.nc.Write([]byte(request("PUBLISH", channel, strconv.Itoa(i)))); p.err == nil {
			var answer string
			answer, p.err = p.decode()
			p.answers = append(p.answers, answer)
			p.answered.Store(int64(len(p.answers)))
		}
	}
}

// listener collects the numbers that arrive on its channels until "end".
type listenerOf struct {
	*client
	heard map[string][]int
	err   error
}

func (l *listenerOf) run() {
	for {
		_ = l.nc.SetReadDeadline(time.Now().Add(10 * time.Second))
		frame, err := l.decode()
		if err != nil {
			l.err = err
			return
		}
		words := strings.Fields(strings.Trim(frame, "*>[]"))
		if len(words) < 3 || !strings.HasSuffix(words[0], "message") {
			l.err = fmt.Errorf("got %q", frame)
			return
		}
		channel, text := words[len(words)-2], words[len(words)-1]
		if text == "end" {
			return
		}
		n, err := strconv.Atoi(text)
		if err != nil {
			l.err = err
			return
		}
		l.heard[channel] = append(l.heard[channel], n)
	}
}

// Over many changes of the master, the last one by its death, every listener hears each publisher in order and nothing
// twice, and misses nothing that a server says it has handed out. RESP2 and RESP3, channels and patterns.
func TestMessagesStayInOrderOverFailovers(t *testing.T) {
	const changes, listeners = 12, 8
	a, b := startRedis(t), startRedis(t)
	replicate(t, a, b)
	r := startProxy(t, nil, a, b)
	r.Publish(open(1, 0, a.lineage()))
	var all []*listenerOf
	for i := range listeners {
		l := &listenerOf{client: dialClient(t, r.addr), heard: map[string][]int{}}
		if i%2 == 1 {
			l.do("HELLO", "3")
		}
		if i < listeners/2 {
			l.do("SUBSCRIBE", "one")
			l.do("SUBSCRIBE", "two")
		} else {
			l.do("PSUBSCRIBE", "*")
		}
		all = append(all, l)
	}
	publishers := map[string]*publisher{}
	for _, channel := range []string{"one", "two"} {
		publishers[channel] = &publisher{client: dialClient(t, r.addr)}
	}
	var listening, publishing sync.WaitGroup
	stop := make(chan struct{})
	for _, l := range all {
		listening.Go(l.run)
	}
	for channel, p := range publishers {
		publishing.Go(func() { p.run(channel, stop) })
	}
	masters := []*redisServer{a, b}
	for i := range changes {
		to := (i + 1) % 2
		before := r.stats().Gaps.Moved
		r.shut(uint64(i+1), 1-to)
		if i == changes-1 {
			// A process that dies within a turn may have answered a publisher and not written to a listener.
			for _, p := range publishers {
				p.sure = p.answered.Load() - 1
			}
			masters[1-to].kill()
		} else if err := r.Quiesce(t.Context()); err != nil { // a master that lives may hand out until the last answer is here
			t.Fatal(err)
		}
		r.failOver(uint64(i+2), to, masters[to])
		eventually(t, "all are subscribed again", func() bool { return r.stats().Gaps.Moved == before+listeners })
		if i < changes-1 {
			replicate(t, masters[to], masters[1-to])
		}
	}
	close(stop)
	publishing.Wait()
	dialClient(t, r.addr).want(fmt.Sprintf(":%d", listeners), "PUBLISH", "one", "end")
	listening.Wait()
	unknown, missed := 0, 0
	for channel, p := range publishers {
		for _, l := range all {
			u, m := p.compare(t, channel, l)
			unknown, missed = unknown+u, missed+m
		}
	}
	g := r.stats().Gaps
	t.Logf("%d gaps, %v at most; %d and %d messages; a listener missed %d, %d of unknown outcome", g.Moved, g.Longest,
		len(publishers["one"].answers), len(publishers["two"].answers), missed/listeners, unknown/listeners)
	if g.Moved != changes*listeners || g.Longest <= 0 || g.Longest > g.Sum || g.Longest > 2*time.Second {
		t.Errorf("gaps: %+v", g)
	}
}

// compare holds what a listener heard against the answers of the publisher: the number of receivers, or an error.
func (p *publisher) compare(t *testing.T, channel string, l *listenerOf) (unknown, missed int) {
	t.Helper()
	if p.err != nil || l.err != nil {
		t.Fatalf("%s: publisher %v, listener %v", channel, p.err, l.err)
	}
	heard, last := map[int]bool{}, 0
	for _, n := range l.heard[channel] {
		if n <= last {
			t.Fatalf("%s: heard %d after %d", channel, n, last)
		}
		heard[n], last = true, n
	}
	for i, answer := range p.answers {
		n := i + 1
		switch {
		case strings.HasPrefix(answer, "-UNKNOWNRESULT"):
			unknown++
		case answer == ":8" && !heard[n] && int64(n) <= p.sure:
			t.Fatalf("%s: message %d was handed to all 8 listeners, and one did not hear it", channel, n)
		case answer == ":0" && heard[n]:
			t.Fatalf("%s: message %d was handed to nobody, and heard", channel, n)
		case !heard[n]:
			missed++
		}
	}
	return unknown, missed
}
