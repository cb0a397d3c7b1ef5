package main

import (
	"cmp"
	"context"
	"runtime"
	"runtime/metrics"
	"slices"
	"time"

	"holdfast/admin"
	"holdfast/health"
	"holdfast/proxy"
)

// statusSource tells the admin API what the controllers and the data plane know.
type statusSource struct {
	proxy *proxy.Proxy
	pools []*servedPool
}

func (s statusSource) Status() admin.Status {
	status := admin.Status{Version: buildVersion(), Runtime: s.runtime(), Pools: []admin.Pool{}}
	for _, p := range s.pools {
		status.Pools = append(status.Pools, p.status())
	}
	return status
}

// liveHeap is the metric of what survived the last garbage collection. Unlike the size of the heap it does not swing between two.
const liveHeap = "/gc/heap/live:bytes"

func (s statusSource) runtime() admin.Runtime {
	ctx, cancel := context.WithTimeout(context.Background(), statsTimeout)
	defer cancel()
	pipes, _ := s.proxy.Pipes(ctx) // what a loop that does not answer would say is missing, not wrong
	heap := []metrics.Sample{{Name: liveHeap}}
	metrics.Read(heap)
	return admin.Runtime{
		Goroutines: runtime.NumGoroutine(), HeapBytes: heap[0].Value.Uint64(), Pipes: pipes.Open, PipesInUse: pipes.InUse,
	}
}

func (p *servedPool) status() admin.Pool {
	h, now := p.controller.Snapshot(), time.Now()
	stats := dataPlane{p.data}.stats()
	out := admin.Pool{
		Name: p.name, State: h.State, Since: now.Add(-h.Since), Why: h.Why, Epoch: h.Epoch, Gate: h.Gate, Master: h.Master,
		Listen: p.cfg.Listen, Protocol: string(p.cfg.Protocol), Failover: string(p.cfg.Failover),
		Clients: stats.Clients, Held: stats.Held, InFlight: stats.Unanswered, Failovers: h.Failovers,
		HeldByOperator: h.Held, JournalError: h.Journal,
		Accepted: stats.Accepted, Refused: stats.Refused, Closed: map[string]uint64{}, TurnedAway: map[string]uint64{},
		UnknownState: stats.Odd, Listeners: listeners(stats.Gaps),
		Backends: []admin.Backend{}, LastReceipt: receipt(h.Last),
	}
	for reason, n := range stats.Closed {
		out.Closed[proxy.CloseReason(reason).String()] = n
	}
	for reason, n := range stats.Turned {
		out.TurnedAway[proxy.TurnReason(reason).String()] = n
	}
	for _, b := range h.Backends {
		out.Backends = append(out.Backends, admin.Backend{
			Name: b.Name, Address: b.Address, Role: b.Role, Verdict: b.Verdict, Why: b.Why,
			Offset: b.Offset, LagBytes: b.LagBytes, LinkUp: b.LinkUp, InSync: b.InSync, Differs: b.Differs,
		})
	}
	return out
}

func listeners(g proxy.Gaps) admin.Listeners {
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	return admin.Listeners{Moved: g.Moved, GapMaxMS: ms(g.Longest), GapSumMS: ms(g.Sum)}
}

// Failovers gives the receipts that the pool's controller remembers.
func (s statusSource) Failovers(pool string) ([]admin.Receipt, error) {
	p, err := operator{s.pools}.find(pool)
	if err != nil {
		return nil, err
	}
	var out []admin.Receipt
	for _, r := range p.controller.Receipts() {
		out = append(out, *receipt(&r))
	}
	return out, nil
}

func receipt(r *health.Receipt) *admin.Receipt {
	if r == nil {
		return nil
	}
	return &admin.Receipt{
		Epoch: r.Epoch, Trigger: string(r.Trigger), Old: r.Old, New: r.New, Cause: r.Cause,
		PhasesMS: admin.Phases{
			{Name: "detect", MS: r.Phases.Detect}, {Name: "hold", MS: r.Phases.Hold}, {Name: "drain", MS: r.Phases.Drain},
			{Name: "promote", MS: r.Phases.Promote}, {Name: "total", MS: r.Phases.Total},
		},
		Clients: r.Cut.Clients, Held: r.Cut.Held,
		Cut: admin.Cut{
			NeverSent: r.Cut.NeverSent, Refused: r.Cut.Refused, Retried: r.Cut.RetriedReads, Unknown: r.Cut.Unknown,
			Aborted: r.Cut.Aborted,
		},
		AtRisk: r.Cut.AtRisk, AtRiskBound: string(r.AtRiskBound),
		OffsetSeen: r.OffsetSeen, OffsetPromoted: r.OffsetPromoted, BytesLost: r.BytesLost, At: r.At,
	}
}

// Events merges what the pools remember. Each pool numbers its own events, so the merged number is made of the time.
func (s statusSource) Events(after uint64) []admin.Event {
	var events []admin.Event
	for _, p := range s.pools {
		for _, e := range p.controller.Events(0) {
			events = append(events, admin.Event{
				Seq: uint64(e.At.UnixNano()), At: e.At, Pool: p.name, Epoch: e.Epoch, Type: "pool." + e.Kind,
				Severity: severity(e), Subject: e.Node, Text: e.Text,
			})
		}
	}
	slices.SortStableFunc(events, func(a, b admin.Event) int { return cmp.Compare(a.Seq, b.Seq) })
	for i := 1; i < len(events); i++ {
		events[i].Seq = max(events[i].Seq, events[i-1].Seq+1)
	}
	return slices.DeleteFunc(events, func(e admin.Event) bool { return e.Seq <= after })
}

// severity: whoever is woken by critical must be needed, and that is so when nobody can be promoted. Everything that the log has as
// a warning is at least one here.
func severity(e health.Event) string {
	switch {
	case e.Kind == "state" && e.To == health.StateStuck.String():
		return "critical"
	case e.Kind == "warning", e.Kind == "failover", e.Kind == "state" && e.To == health.StateNoMaster.String():
		return "warning"
	}
	return "info"
}
