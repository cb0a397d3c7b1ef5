package main

import (
	"context"
	"time"

	"holdfast/health"
	"holdfast/health/failover"
	"holdfast/proxy"
	"holdfast/proxy/resp"
)

// statsTimeout bounds how long a status page waits for the event loops; a loop answers within microseconds.
const statsTimeout = 200 * time.Millisecond

// dataPlane is a pool of the proxy as the control plane sees it.
type dataPlane struct{ pool *proxy.Pool }

func (d dataPlane) Publish(r health.Route) {
	d.pool.Publish(proxy.Route{Epoch: r.Epoch, Gate: proxyGate(r.Gate), Backend: r.Backend, Lineage: r.Lineage, Check: r.Check})
}

func proxyGate(g health.Gate) proxy.Gate {
	switch g {
	case health.GateOpen:
		return proxy.GateOpen
	case health.GateRefusing:
		return proxy.GateRefusing
	}
	return proxy.GateShut
}

func (d dataPlane) Cut(ctx context.Context, epoch uint64, alive time.Duration) (health.CutReport, error) {
	r, err := d.pool.Cut(ctx, epoch, alive)
	return health.CutReport{
		Clients: r.Clients, Held: r.Held, AtRisk: r.AtRisk, SinceAlive: r.SinceAlive, Acknowledged: r.Acknowledged,
		NeverSent: r.NeverSent, Refused: r.Refused, RetriedReads: r.Retried, Unknown: r.Unknown, Aborted: r.Aborted,
	}, err
}

func (d dataPlane) Quiesce(ctx context.Context) error { return d.pool.Quiesce(ctx) }

func (d dataPlane) SlowInFlight() int { return d.pool.SlowInFlight() }

func (d dataPlane) Clients() (connected, held int) { return d.pool.Clients() }

// Scripts, ScriptsChanged and Learn are for the tutor.
func (d dataPlane) Scripts(mark uint64) ([]failover.Script, uint64) {
	known, next := d.pool.Scripts(mark)
	scripts := make([]failover.Script, len(known))
	for i, s := range known {
		scripts[i] = failover.Script(s)
	}
	return scripts, next
}

func (d dataPlane) ScriptsChanged() <-chan struct{} { return d.pool.ScriptsChanged() }

func (d dataPlane) Learn(commands []failover.Command) {
	described := make([]resp.Described, len(commands))
	for i, c := range commands {
		described[i] = resp.Described(c)
	}
	d.pool.Learn(described)
}

func (d dataPlane) stats() proxy.Stats {
	ctx, cancel := context.WithTimeout(context.Background(), statsTimeout)
	defer cancel()
	s, _ := d.pool.Stats(ctx) // what a loop that does not answer would say is missing, not wrong
	return s
}

// evidence passes on what the data plane saw.
func evidence(e proxy.Evidence) health.Evidence {
	kinds := [...]health.EvidenceKind{
		proxy.EvidenceRefused:  health.EvRefused,
		proxy.EvidenceReset:    health.EvReset,
		proxy.EvidenceEOF:      health.EvEOF,
		proxy.EvidenceReadonly: health.EvReadonly,
		proxy.EvidenceIdentity: health.EvIdentity,
		proxy.EvidenceTimeout:  health.EvDialTimeout,
	}
	return health.Evidence{Backend: e.Backend, Epoch: e.Epoch, Kind: kinds[e.Kind], Busy: e.Busy}
}
