package peers

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrUnknownRow is returned when a row is asked for that the table does not have.
var ErrUnknownRow = errors.New("no such row")

// rival is what the number of Holdfast is held against.
type rival uint8

const (
	// againstLimit: the number itself, in the unit of the row.
	againstLimit rival = iota
	// againstHAProxy: the ratio to the best of the configurations the row allows, taken round by round; see book.rival.
	againstHAProxy
	// againstDirect: the ratio to the same number without a proxy.
	againstDirect
	// againstItself: the ratio of a variant of Holdfast to Holdfast.
	againstItself
	// againstGain: the share of what Holdfast saves beside HAProxy that a variant does not save. 0: it saves as much; 1: it
	// costs as much as HAProxy.
	againstGain
)

// row is one line of the table: which number of which cell, against what, and how good it has to be.
type row struct {
	id, title string
	variant   string // what is judged; empty: Holdfast itself
	cell      string
	metric    string
	scale     float64 // the number is divided by it
	unit      string
	against   rival
	peers     []string // configurations of HAProxy; nil: all of them
	added     bool     // what the proxy adds to the number without a proxy
	must, aim float64  // an aim of 0 is none
}

const nanosPerMicro = 1000

// rows are the table.
func rows() []row {
	cpu := func(id, title, cell string, must, aim float64, peers ...string) row {
		return row{
			id: id, title: title, cell: cell, metric: "cpu_ns", scale: nanosPerMicro, unit: "us",
			against: againstHAProxy, peers: peers, must: must, aim: aim,
		}
	}
	limit := func(id, title, cell, metric, unit string, must, aim float64) row {
		return row{id: id, title: title, cell: cell, metric: metric, scale: 1, unit: unit, must: must, aim: aim}
	}
	list := []row{
		cpu("small-1", "CPU, GET/SET 100 B, 1 client", cellSmall1, 0.90, 0.82),
		cpu("small-50", "CPU, GET/SET 100 B, 50 clients", cellSmall50, 0.96, 0.90),
		cpu("pipeline", "CPU, pipeline of 16, 50 clients", cellPipeline, 1.00, 0.92),
		cpu("16k-get", "CPU, GET 16 KiB, 10 clients", cellGet16, 0.75, 0.65),
		cpu("16k-set", "CPU, SET 16 KiB, 10 clients", cellSet16, 0.75, 0.65),
		cpu("64k-get", "CPU, GET 64 KiB, 10 clients", cellGet64, 0.60, 0.45),
		cpu("64k-set", "CPU, SET 64 KiB, 10 clients", cellSet64, 0.60, 0.45),
		cpu("1m-get-auto", "CPU, GET 1 MiB, splice-auto", cellGetMiB, 0.45, 0.30, haproxyAuto),
		cpu("1m-set-auto", "CPU, SET 1 MiB, splice-auto", cellSetMiB, 0.45, 0.30, haproxyAuto),
		cpu("1m-get", "CPU, GET 1 MiB, best tuned", cellGetMiB, 1.0, 0.9),
		cpu("1m-set", "CPU, SET 1 MiB, best tuned", cellSetMiB, 1.0, 0.9),
		limit("calls-1", "system calls, 100 B, 1 client", cellCalls1, "calls", "", 6.2, 6.0),
		limit("calls-10", "system calls, 100 B, 10 clients", cellCalls10, "calls", "", 4.4, 4.2),
		limit("idle-bytes", "private dirty per idle connection", cellIdle, "bytes_per_conn", "B", 1000, 400),
		limit("idle-files", "descriptors per idle connection", cellIdle, "files_per_conn", "", 2, 2),
		limit("idle-burst", "memory after 64 KiB replies and rest", cellIdle, "after_ratio", "x", 1.1, 1.0),
		cpu("churn", "CPU, connect, PING, close", cellChurn, 1.0, 0.85),
		{
			id: "p50", title: "added p50, 1 client", cell: cellSmall1, metric: "p50_us", scale: 1, unit: "us",
			against: againstDirect, added: true, must: 1.3, aim: 1.1,
		},
		{
			id: "p99", title: "added p99, 50 clients, half load", cell: cellHalf, metric: "p99_us", scale: 1, unit: "us",
			against: againstHAProxy, added: true, must: 1.0, aim: 0.85,
		},
		limit("gc-pause", "largest pause of the collector", cellPause, "pause_us", "us", 100, 0),
	}
	return append(list, variantRows()...)
}

// variantRows are about Holdfast in other surroundings.
func variantRows() []row {
	const lostMax = 0.20 // four fifths of the gain have to be kept
	lost := func(id, title, variant, cell string) row {
		return row{
			id: id, title: title, variant: variant, cell: cell, metric: "cpu_ns", scale: nanosPerMicro, unit: "us",
			against: againstGain, peers: []string{haproxyAuto}, must: lostMax,
		}
	}
	return []row{
		{
			id: "unix-1", title: "p50, 1 client by unix socket", variant: overUnix, cell: cellSmall1, metric: "p50_us", scale: 1,
			unit: "us", against: againstItself, must: 1.0,
		},
		{
			id: "unix-50", title: "CPU, 50 clients by unix socket", variant: overUnix, cell: cellSmall50, metric: "cpu_ns",
			scale: nanosPerMicro, unit: "us", against: againstItself, must: 1.0,
		},
		lost("user-1m-get", "gain lost, GET 1 MiB, ordinary user", ordinaryUser, cellGetMiB),
		lost("user-1m-set", "gain lost, SET 1 MiB, ordinary user", ordinaryUser, cellSetMiB),
		lost("user-full-get", "gain lost, GET 1 MiB, no pipes left", crowdedUser, cellGetMiB),
		lost("user-full-set", "gain lost, SET 1 MiB, no pipes left", crowdedUser, cellSetMiB),
	}
}

// judged is the contender the row is about.
func (r row) judged() string {
	if r.variant != "" {
		return r.variant
	}
	return holdfast
}

// chooseRows keeps the rows whose id begins with one of the prefixes; no prefix keeps all.
func chooseRows(prefixes []string) ([]row, error) {
	all := rows()
	if len(prefixes) == 0 {
		return all, nil
	}
	var chosen []row
	for _, prefix := range prefixes {
		if !slices.ContainsFunc(all, func(r row) bool { return strings.HasPrefix(r.id, prefix) }) {
			return nil, fmt.Errorf("choose row %q: %w; the rows are %s", prefix, ErrUnknownRow, strings.Join(rowIDs(all), ", "))
		}
	}
	for _, r := range all {
		if slices.ContainsFunc(prefixes, func(prefix string) bool { return strings.HasPrefix(r.id, prefix) }) {
			chosen = append(chosen, r)
		}
	}
	return chosen, nil
}

func rowIDs(list []row) []string {
	var ids []string
	for _, r := range list {
		ids = append(ids, r.id)
	}
	return ids
}

// cellsOf are the cells the rows look into. Pauses are looked for during load, so that row brings some.
func cellsOf(list []row) map[string]bool {
	wanted := map[string]bool{}
	for _, r := range list {
		wanted[r.cell] = true
	}
	if wanted[cellPause] && len(wanted) == 1 {
		wanted[cellSmall50] = true
	}
	return wanted
}
