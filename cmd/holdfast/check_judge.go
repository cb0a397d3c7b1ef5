package main

import (
	"fmt"
	"strconv"
	"strings"

	"holdfast/admin"
)

// lagLimits are the bytes a replica may be behind before a check warns or cries; 0 means never.
type lagLimits struct {
	warning, critical int64
}

// parseLimits reads limits of the form lag=1MB.
func parseLimits(warn, crit []string) (lagLimits, error) {
	var l lagLimits
	for flag, c := range map[string]struct {
		texts []string
		into  *int64
	}{"-w": {warn, &l.warning}, "-c": {crit, &l.critical}} {
		for _, text := range c.texts {
			size, isLag := strings.CutPrefix(text, "lag=")
			n, err := parseSize(size)
			if !isLag || err != nil {
				return l, fmt.Errorf("%s %q: want lag=SIZE, such as lag=1MB", flag, text)
			}
			*c.into = n
		}
	}
	return l, nil
}

// parseSize reads 512, 512B, 64KB, 64KiB, 1MB, 1MiB, 1GB or 1GiB.
func parseSize(text string) (int64, error) {
	digits := strings.TrimRight(text, "KMGiB")
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("read size %q: %w", text, err)
	}
	factor, ok := map[string]int64{
		"": 1, "B": 1, "KB": 1e3, "KiB": 1 << 10, "MB": 1e6, "MiB": 1 << 20, "GB": 1e9, "GiB": 1 << 30,
	}[strings.TrimPrefix(text, digits)]
	const sizeMax = 1 << 50 // a pebibyte: no backlog is that long, and no product of it overflows
	if !ok || n < 0 || n > sizeMax/factor {
		return 0, fmt.Errorf("read size %q: want a number with B, KB, KiB, MB, MiB, GB or GiB", text)
	}
	return n * factor, nil
}

// finding is the result of a check of one pool.
type finding struct {
	code int
	text string
	data []string // performance data
}

// judgePool returns the worst of what is wrong with the pool and says that, or says what is right.
func judgePool(p admin.Pool, limits lagLimits) finding {
	healthy, others, lag := standby(p)
	f := finding{data: []string{
		fmt.Sprintf("%s=%dB;%d;%d;0", label(p.Name, "lag"), max(lag, 0), limits.warning, limits.critical),
		fmt.Sprintf("%s=%d;;;0", label(p.Name, "held"), p.Held),
		fmt.Sprintf("%s=%d;;;0", label(p.Name, "clients"), p.Clients),
	}}
	rest := fmt.Sprintf("%d/%d %s", healthy, others, standbyNoun(p))
	m, known := master(p)
	switch {
	case p.State == stateStuck:
		f.code, f.text = nagiosCritical, "stuck: "+p.Why
	case p.Gate == admin.GateRefusing:
		f.code, f.text = nagiosCritical, "refusing clients: "+p.Why
	case p.Master == "":
		f.code, f.text = nagiosCritical, "no master: "+p.Why
	case p.JournalError != "":
		f.code, f.text = nagiosCritical, "the journal cannot be written, no promotion is possible: "+p.JournalError
	case limits.critical > 0 && lag >= limits.critical:
		f.code, f.text = nagiosCritical, fmt.Sprintf("a replica lags by %s", bytesText(lag))
	case p.Gate != admin.GateOpen:
		f.code, f.text = nagiosWarning, fmt.Sprintf("%d held, %s: %s", p.Held, p.State, p.Why)
	case known && gradeOf(m.Verdict) != gradeGood:
		f.code, f.text = nagiosWarning, fmt.Sprintf("master %s is %s: %s", masterText(p), m.Verdict, m.Why)
	case healthy < others:
		f.code, f.text = nagiosWarning, "master "+masterText(p)+", "+rest
	case limits.warning > 0 && lag >= limits.warning:
		f.code, f.text = nagiosWarning, fmt.Sprintf("a replica lags by %s", bytesText(lag))
	default:
		f.text = "master " + masterText(p) + ", " + rest
	}
	f.text = p.Name + ": " + strings.TrimSuffix(f.text, ": ")
	return f
}

// standby counts the backends that are not the master, those of them that could take over, and the worst lag.
func standby(p admin.Pool) (healthy, others int, lag int64) {
	for _, b := range p.Backends {
		if b.Name == p.Master {
			continue
		}
		others++
		replicates := b.Role == admin.RoleReplica
		if standsBy(p, b) {
			healthy++
		}
		if replicates {
			lag = max(lag, b.LagBytes)
		}
	}
	return healthy, others, lag
}

// promotes tells pools whose backends replicate from pools whose backends merely stand in for one another.
func promotes(p admin.Pool) bool { return p.Failover == "promote" || p.Failover == "follow" }

func standbyNoun(p admin.Pool) string {
	if promotes(p) {
		return "replicas in sync"
	}
	return "others healthy"
}

func masterText(p admin.Pool) string {
	if b, found := master(p); found && b.Address != b.Name {
		return b.Name + " " + b.Address
	}
	return p.Master
}

// label quotes a label of performance data when it has to be; quotes and equals signs cannot be part of one.
func label(pool, what string) string {
	name := strings.Map(func(r rune) rune {
		if r == '\'' || r == '=' || r == '|' {
			return '_'
		}
		return r
	}, printable(pool)) + "_" + what
	if strings.ContainsRune(name, ' ') {
		return "'" + name + "'"
	}
	return name
}
