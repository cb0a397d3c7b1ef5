package bench

import (
	"context"
	"errors"
	"testing"

	"holdfast/bench/testbed"
)

// order is a deployment as its admin API shows it.
type order func(context.Context) (Receipt, error)

func (o order) Order(ctx context.Context) (Receipt, error) { return o(ctx) }

// TestDrillTarget moves the master of a pool that runs already, and looks at what is left behind.
func TestDrillTarget(t *testing.T) {
	p := startPair(t, PairOptions{})
	d, err := NewDaemon(t.TempDir(), DaemonOptions{Binary: testbed.Binary(t), Backends: p.refs()})
	check(t, err)
	t.Cleanup(func() { check(t, d.Close()) })
	check(t, d.Start())
	check(t, d.WaitServing(t.Context()))
	before, err := p.Master.keys(t.Context())
	check(t, err)
	report, err := DrillTarget(t.Context(), TargetOptions{
		Deployment: order(d.Switchover), Order: "switchover", Planned: true, Address: d.Address(), Clients: 10,
	})
	check(t, err)
	t.Log(&report)
	for _, b := range report.Broken() {
		t.Errorf("%s: got %s", b.Text, b.Got)
	}
	if report.Verification.Checked < 100 || report.Receipt == nil || report.Receipt.New != p.Replica.Name {
		t.Errorf("got %d writes checked and receipt %v, want hundreds and the replica promoted", report.Verification.Checked, report.Receipt)
	}
	check(t, p.Master.WaitInSync(t.Context(), p.Replica, servedMax))
	after, err := p.Replica.keys(t.Context())
	check(t, err)
	if after != before {
		t.Errorf("got keys %s after the drill, want %s as before it", after, before)
	}
	refusal := errors.New("not now")
	refuse := order(func(context.Context) (Receipt, error) { return Receipt{}, refusal })
	_, err = DrillTarget(t.Context(), TargetOptions{Deployment: refuse, Order: "failover", Address: d.Address(), Clients: 2})
	if !errors.Is(err, refusal) {
		t.Errorf("got %v, want the refusal of the order", err)
	}
	if got, err := p.Replica.keys(t.Context()); err != nil || got != before {
		t.Errorf("got keys %s, %v after a refusal, want %s", got, err, before)
	}
}
