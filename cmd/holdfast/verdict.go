package main

import (
	"slices"

	"holdfast/admin"
	"holdfast/health"
)

// verdictHealthy is the only verdict that needs no explanation.
var verdictHealthy = health.VerdictHealthy.String()

// grade is how much a verdict of health worries an operator. This file is the only place that sorts them.
type grade uint8

const (
	// gradeDoubtful: it passes by itself or is not known yet; also every word of a newer daemon.
	gradeDoubtful grade = iota
	// gradeGood: the identical master, or a replica that streams.
	gradeGood
	// gradeBad: the backend is gone, or is not what the pool needs, and somebody has to act.
	gradeBad
)

func gradeOf(verdict string) grade {
	bad := []health.Verdict{
		health.VerdictDenied, health.VerdictSilent, health.VerdictRefused, health.VerdictReborn, health.VerdictDemoted, health.VerdictStale,
		health.VerdictQuarantined,
	}
	switch {
	case verdict == verdictHealthy:
		return gradeGood
	case slices.ContainsFunc(bad, func(v health.Verdict) bool { return v.String() == verdict }):
		return gradeBad
	}
	return gradeDoubtful
}

func verdictColor(verdict string) string {
	return [...]string{gradeDoubtful: yellow, gradeGood: green, gradeBad: red}[gradeOf(verdict)]
}

// standsBy reports whether b could take over: it is well and, where backends replicate, it has the data.
func standsBy(p admin.Pool, b admin.Backend) bool {
	return gradeOf(b.Verdict) == gradeGood && (b.InSync || !promotes(p))
}

// master is the backend that requests are routed to.
func master(p admin.Pool) (admin.Backend, bool) {
	i := slices.IndexFunc(p.Backends, func(b admin.Backend) bool { return b.Name == p.Master })
	if i < 0 {
		return admin.Backend{}, false
	}
	return p.Backends[i], true
}
