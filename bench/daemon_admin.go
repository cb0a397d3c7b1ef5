package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// verbMax bounds one admin request: a verb returns when it is done, and no failover of a small pair takes this long.
const verbMax = 30 * time.Second

// bodyMax bounds what is read of an answer, in bytes.
const bodyMax = 1 << 20

// gateOpen is the gate's word for "requests go through".
const gateOpen = "open"

// errAdmin is returned when the daemon refused an admin request.
var errAdmin = errors.New("admin request refused")

// PoolStatus is the part of GET /v1/status that the drills look at.
type PoolStatus struct {
	Name      string          `json:"name"`
	State     string          `json:"state"`
	Why       string          `json:"why"`
	Epoch     uint64          `json:"epoch"`
	Gate      string          `json:"gate"`
	Master    string          `json:"master"`
	Clients   int             `json:"clients"`
	Held      int             `json:"held"`
	InFlight  int             `json:"in_flight"`
	Failovers int             `json:"failovers"`
	Closed    map[string]int  `json:"closed"`
	Turned    map[string]int  `json:"turned_away"`
	Refused   int             `json:"refused"`
	Backends  []BackendStatus `json:"backends"`
	Receipt   *Receipt        `json:"last_receipt"`
}

// BackendStatus is what the daemon thinks of one backend.
type BackendStatus struct {
	Name    string `json:"name"`
	Address string `json:"address"`
	Role    string `json:"role"`
	Verdict string `json:"verdict"`
	Why     string `json:"why"`
	InSync  bool   `json:"in_sync"`
}

// Receipt is the daemon's record of one failover.
type Receipt struct {
	Epoch          uint64             `json:"epoch"`
	Trigger        string             `json:"trigger"`
	Old            string             `json:"old"`
	New            string             `json:"new"`
	Cause          string             `json:"cause"`
	Phases         map[string]float64 `json:"phases_ms"`
	Clients        int                `json:"clients"`
	Held           int                `json:"held"`
	Cut            map[string]int     `json:"cut"`
	AtRisk         int                `json:"at_risk"`
	AtRiskBound    string             `json:"at_risk_bound"`
	OffsetSeen     int64              `json:"offset_seen"`
	OffsetPromoted int64              `json:"offset_promoted"`
	BytesLost      int64              `json:"bytes_lost"`
}

// master returns the address of the backend that the pool calls its master, by name or by address.
func (p PoolStatus) master() (string, error) {
	for _, b := range p.Backends {
		if p.Master != "" && (b.Name == p.Master || b.Address == p.Master) {
			return b.Address, nil
		}
	}
	return "", fmt.Errorf("pool %s has no master: %s, %s", p.Name, p.State, p.Why)
}

// synced objects as long as a backend other than the master is not proven in sync.
func (p PoolStatus) synced() error {
	for _, b := range p.Backends {
		if b.Name != p.Master && b.Address != p.Master && !b.InSync {
			return fmt.Errorf("backend %s is not in sync: %s %s %s", b.Name, b.Role, b.Verdict, b.Why)
		}
	}
	return nil
}

// Status asks for the daemon's one pool.
func (d *Daemon) Status(ctx context.Context) (PoolStatus, error) {
	var body struct {
		Pools []PoolStatus `json:"pools"`
	}
	if err := d.ask(ctx, http.MethodGet, "/v1/status", nil, &body); err != nil {
		return PoolStatus{}, err
	}
	for _, pool := range body.Pools {
		if pool.Name == d.Pool {
			return pool, nil
		}
	}
	return PoolStatus{}, fmt.Errorf("ask %s for its status: no pool %q", d.Name, d.Pool)
}

// RuntimeStatus is what the daemon's process holds, in its own words.
type RuntimeStatus struct {
	Goroutines int64 `json:"goroutines"`
	HeapBytes  int64 `json:"heap_bytes"`
	Pipes      int64 `json:"pipes"`
	PipesInUse int64 `json:"pipes_in_use"`
}

// Runtime asks for what the daemon's process holds.
func (d *Daemon) Runtime(ctx context.Context) (RuntimeStatus, error) {
	var body struct {
		Runtime RuntimeStatus `json:"runtime"`
	}
	err := d.ask(ctx, http.MethodGet, "/v1/status", nil, &body)
	return body.Runtime, err
}

// Failovers asks for the receipts of the daemon's one pool, oldest first.
func (d *Daemon) Failovers(ctx context.Context) ([]Receipt, error) {
	var receipts []Receipt
	err := d.ask(ctx, http.MethodGet, "/v1/pools/"+url.PathEscape(d.Pool)+"/failovers", nil, &receipts)
	return receipts, err
}

// Switchover moves the mastership on purpose and returns when that is done.
func (d *Daemon) Switchover(ctx context.Context) (Receipt, error) { return d.verb(ctx, "switchover") }

// Hold shuts the gate until Release.
func (d *Daemon) Hold(ctx context.Context) error { return d.gate(ctx, "hold") }

// Release takes the hold away.
func (d *Daemon) Release(ctx context.Context) error { return d.gate(ctx, "release") }

func (d *Daemon) gate(ctx context.Context, verb string) error {
	return d.ask(ctx, http.MethodPost, "/v1/pools/"+url.PathEscape(d.Pool)+"/"+verb, struct{}{}, &struct{}{})
}

// MasterOf names the server that the daemon calls the master.
func (d *Daemon) MasterOf(ctx context.Context, p *Pair) (*Server, error) {
	status, err := d.Status(ctx)
	if err != nil {
		return nil, err
	}
	address, err := status.master()
	if err != nil {
		return nil, err
	}
	return p.ByAddress(address)
}

// Synced returns an objection as long as a backend other than the master is not proven in sync.
func (p PoolStatus) Synced() error {
	if p.Master == "" {
		return fmt.Errorf("pool %s has no master: %s, %s", p.Name, p.State, p.Why)
	}
	return p.synced()
}

func (d *Daemon) verb(ctx context.Context, verb string) (Receipt, error) {
	var receipt Receipt
	err := d.ask(ctx, http.MethodPost, "/v1/pools/"+url.PathEscape(d.Pool)+"/"+verb, struct{}{}, &receipt)
	return receipt, err
}

// ask makes one admin request and decodes the answer into out.
func (d *Daemon) ask(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		data, err := json.Marshal(in)
		if err != nil {
			return fmt.Errorf("%s %s: %w", method, path, err)
		}
		body = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, d.url(path), body)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := d.control.Do(req)
	if err != nil {
		return err // names method and address already
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, bodyMax))
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("%s %s: %w: %s: %s", method, path, errAdmin, resp.Status, bytes.TrimSpace(data))
	}
	if err := json.Unmarshal(data, out); err != nil {
		return fmt.Errorf("%s %s: decode answer: %w", method, path, err)
	}
	return nil
}
