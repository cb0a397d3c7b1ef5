package health

import (
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// Mode is what a pool does when its master is lost.
type Mode uint8

const (
	// Promote makes the best replica the new master.
	Promote Mode = iota
	// Follow never changes a backend; it routes to the node that lineage shows to be the successor.
	Follow
	// Ordered routes to the first healthy backend of the list and goes on only when that one fails.
	Ordered
	// Off routes to the first accepted master and never to another one.
	Off
)

// String names the mode as the configuration does.
func (m Mode) String() string {
	names := [...]string{"promote", "follow", "ordered", "off"}
	if int(m) < len(names) {
		return names[m]
	}
	return "unknown"
}

// Probe is how a backend is asked whether it lives.
type Probe uint8

const (
	// ProbeRedis sends INFO over a control connection.
	ProbeRedis Probe = iota
	// ProbeConnect opens a connection and closes it again; for pools of opaque bytes.
	ProbeConnect
)

// Backend is one server of the pool.
type Backend struct {
	Name string
	// Address is host:port, or unix:PATH.
	Address string
	// Machine is the host that runs the backend; it is only reported.
	Machine string
}

// Settings is the part of a pool's configuration that health needs. The zero value of a duration or size means its default.
type Settings struct {
	Name     string
	Mode     Mode
	Probe    Probe
	Backends []Backend
	// Username and Password are those of the control user; they are never logged.
	Username, Password string
	// Interval is the time between two probes of one backend.
	Interval time.Duration
	// Silence without any answer turns a suspected backend into a failed one.
	Silence time.Duration
	// Patience replaces Silence while a command known to be slow is unanswered.
	Patience time.Duration
	// HoldMaxWait is how long clients are held before they are refused.
	HoldMaxWait time.Duration
	// MaxLoss is the number of bytes of the replication stream that a candidate may lack.
	MaxLoss int64
	// MinGap is the time between two automatic failovers that are not backed by hard evidence.
	MinGap time.Duration
	// DrainMax bounds the drain of a replica whose master hangs.
	DrainMax time.Duration
	Logger   *slog.Logger
}

// Defaults, with the reason for each number.
const (
	// defaultInterval: ten probes a second cost a server about 1 ms of CPU a second.
	defaultInterval = 100 * time.Millisecond
	// defaultSilence: shorter and a fork or a big DEL looks like death, longer and client libraries give up first.
	defaultSilence = time.Second
	// defaultPatience: most operators consider a command of more than ten seconds a fault by itself.
	defaultPatience = 10 * time.Second
	// defaultHoldMaxWait: beyond it most client libraries have timed out by themselves.
	defaultHoldMaxWait = 10 * time.Second
	// defaultMaxLoss: a streaming replica lags by kilobytes; one that lags by a mebibyte has a problem of its own.
	defaultMaxLoss = 1 << 20
	// defaultMinGap: long enough to stop flapping, short enough for a second, real death.
	defaultMinGap = time.Minute
	// defaultDrainMax: what a live host retransmits arrives within a second or not at all.
	defaultDrainMax = time.Second
)

// normalized returns s with every unset value replaced by its default.
func (s Settings) normalized() Settings {
	s.Interval = orDuration(s.Interval, defaultInterval)
	s.Silence = orDuration(s.Silence, defaultSilence)
	s.Patience = max(orDuration(s.Patience, defaultPatience), s.Silence)
	s.HoldMaxWait = orDuration(s.HoldMaxWait, defaultHoldMaxWait)
	s.MinGap = orDuration(s.MinGap, defaultMinGap)
	s.DrainMax = orDuration(s.DrainMax, defaultDrainMax)
	if s.MaxLoss <= 0 {
		s.MaxLoss = defaultMaxLoss
	}
	if s.Logger == nil {
		s.Logger = slog.New(slog.DiscardHandler)
	}
	return s
}

// suspectAfter is the silence after which the gate shuts. Two and a half intervals let one probe be late.
func (s Settings) suspectAfter() time.Duration {
	return min(max(s.Interval*5/2, s.Silence/4), s.Silence)
}

// lately is how long ago an answer may have been asked for that still tells of the present. Two intervals let one probe be lost.
func (s Settings) lately() time.Duration { return 2 * s.Interval }

// verifies reports whether the pool routes by role and lineage.
func (s Settings) verifies() bool {
	return s.Probe == ProbeRedis && s.Mode != Ordered
}

// validate returns all faults that would make the controller meaningless.
func (s Settings) validate() error {
	var faults []error
	if s.Name == "" {
		faults = append(faults, errors.New("pool has no name"))
	}
	if len(s.Backends) == 0 {
		faults = append(faults, fmt.Errorf("pool %s: no backends", s.Name))
	}
	if s.Probe == ProbeConnect && (s.Mode == Promote || s.Mode == Follow) {
		faults = append(faults, fmt.Errorf("pool %s: mode %s needs redis probes", s.Name, s.Mode))
	}
	seen := make(map[string]bool, len(s.Backends))
	for _, b := range s.Backends {
		if b.Name == "" || b.Address == "" || seen[b.Name] {
			faults = append(faults, fmt.Errorf("pool %s: backend %q %q: name and address must be set, names unique",
				s.Name, b.Name, b.Address))
		}
		seen[b.Name] = true
	}
	return errors.Join(faults...)
}

func orDuration(got, otherwise time.Duration) time.Duration {
	if got <= 0 {
		return otherwise
	}
	return got
}
