package compare

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/sys/unix"
)

// ErrUnknownName is returned when a fault or a contender is asked for that there is not.
var ErrUnknownName = errors.New("no such name")

// Options say what is compared.
type Options struct {
	Holdfast   string        // the built binary
	Version    string        // of it
	Rounds     int           // 0: 1
	Faults     []string      // none: all
	Contenders []string      // none: all
	Clients    int           // half of them retry; 0: 40
	Every      time.Duration // a request of each client is due; 0: 20 ms
	Rate       float64       // of the steady load, requests a second; 0: 5000
	Steady     time.Duration // one block of it; 0: 3 s; negative: none
	Quick      bool          // shorter settling: for tests, not for publishing
	Seed       uint64
	Progress   io.Writer
}

// Defaults of a run of about six minutes.
const (
	clientsDefault = 40
	everyDefault   = 20 * time.Millisecond
	rateDefault    = 5000
	steadyDefault  = 3 * time.Second
)

func (o Options) withDefaults() Options {
	if o.Rounds == 0 {
		o.Rounds = 1
	}
	if o.Clients == 0 {
		o.Clients = clientsDefault
	}
	if o.Every == 0 {
		o.Every = everyDefault
	}
	if o.Rate == 0 {
		o.Rate = rateDefault
	}
	if o.Steady == 0 {
		o.Steady = steadyDefault
	}
	if o.Seed == 0 {
		o.Seed = uint64(time.Now().UnixNano())
	}
	return o
}

func (o Options) settle(f fault) time.Duration {
	if o.Quick {
		return time.Second
	}
	return f.settle
}

// Record is everything a run leaves behind.
type Record struct {
	Started  time.Time         `json:"started"`
	Seconds  float64           `json:"seconds"`
	Versions map[string]string `json:"versions"`
	Machine  map[string]string `json:"machine"`
	Settings map[string]string `json:"settings"`
	Configs  map[string]string `json:"configs"` // by contender and file, of the first scene of each
	Outcomes []Outcome         `json:"outcomes"`
	Steady   []Block           `json:"steady"`
	Notes    []string          `json:"notes,omitempty"`
}

type run struct {
	options    Options
	faults     []fault
	contenders []contender
	record     *Record
}

// Run makes all drills and loads, and returns what they have shown.
func Run(ctx context.Context, o Options) (*Record, error) {
	o = o.withDefaults()
	redis.SetLogger(quiet{}) // its reports of lost connections are what is counted here
	r := &run{options: o, record: newRecord(ctx, o)}
	var err error
	if r.faults, err = chosen(faults(), o.Faults, func(f fault) string { return f.name }); err != nil {
		return nil, err
	}
	if r.contenders, err = chosen(contenders(), o.Contenders, func(c contender) string { return c.name }); err != nil {
		return nil, err
	}
	if o.Steady > 0 {
		if err := r.steady(ctx); err != nil {
			return nil, err
		}
	}
	for round := range o.Rounds {
		for i, f := range r.faults {
			if err := r.turn(ctx, f, round, round+i); err != nil {
				return nil, err
			}
		}
	}
	r.record.Seconds = time.Since(r.record.Started).Seconds()
	r.record.Machine["load average after"] = loadAverage()
	return r.record, nil
}

// turn commits one fault on every contender, beginning with another one each time.
func (r *run) turn(ctx context.Context, f fault, round, rotation int) error {
	list := r.contenders
	rotation %= len(list)
	for _, c := range slices.Concat(list[rotation:], list[:rotation]) {
		if slices.Contains(f.skip, c.name) {
			continue
		}
		if err := r.attempt(ctx, f, c, round); err != nil {
			return err
		}
	}
	return nil
}

// attemptsMax is how often a scene is set up before the run goes on without it: processes start late on a busy machine.
const attemptsMax = 2

// attempt commits one fault on one contender. A scene that cannot be made is noted and the run goes on: the others are still worth
// knowing, and the report says what is missing.
func (r *run) attempt(ctx context.Context, f fault, c contender, round int) error {
	var err error
	for range attemptsMax {
		var o Outcome
		if o, err = r.drill(ctx, f, c, round); err == nil {
			r.record.Outcomes = append(r.record.Outcomes, o)
			r.say("%s", o.line())
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		r.say("%s, %s: %v", f.name, c.name, err)
	}
	r.record.Notes = append(r.record.Notes, fmt.Sprintf("%s of %s could not be measured in round %d: %s.", f.name, c.name, round+1,
		strings.ReplaceAll(err.Error(), "\n", "; ")))
	return nil
}

func (r *run) say(format string, args ...any) { fmt.Fprintf(r.options.Progress, format+"\n", args...) }

func (r *run) keepConfigs(s *scene) {
	for name, text := range s.configs() {
		key := s.contender.name + ": " + name
		if r.record.Configs[key] == "" {
			r.record.Configs[key] = text
		}
	}
}

// quiet is a log that nobody reads.
type quiet struct{}

// Printf drops a line.
func (quiet) Printf(context.Context, string, ...any) {}

func chosen[T any](all []T, names []string, name func(T) string) ([]T, error) {
	if len(names) == 0 {
		return all, nil
	}
	var known []string
	for _, x := range all {
		known = append(known, name(x))
	}
	var list []T
	for _, want := range names {
		i := slices.Index(known, want)
		if i < 0 {
			return nil, fmt.Errorf("%q: %w; there are %s", want, ErrUnknownName, strings.Join(known, ", "))
		}
		list = append(list, all[i])
	}
	return list, nil
}

func newRecord(ctx context.Context, o Options) *Record {
	r := &Record{
		Started: time.Now().UTC().Truncate(time.Second), Configs: map[string]string{},
		Versions: map[string]string{"holdfast": o.Version, "go-redis": redis.Version(), "go": runtime.Version()},
		Machine:  map[string]string{"cpus": fmt.Sprint(runtime.NumCPU()), "arch": runtime.GOARCH},
		Settings: map[string]string{
			"clients": fmt.Sprint(o.Clients), "a request of each client every": o.Every.String(), "rounds": fmt.Sprint(o.Rounds),
			"steady requests a second": fmt.Sprint(o.Rate), "seed": fmt.Sprint(o.Seed),
		},
	}
	for name, argv := range map[string][]string{"haproxy": {"haproxy", "-v"}, "redis": {"redis-server", "--version"}} {
		r.Versions[name] = firstLine(ctx, argv)
	}
	var name unix.Utsname
	if err := unix.Uname(&name); err == nil {
		r.Machine["kernel"], _, _ = strings.Cut(unix.ByteSliceToString(name.Release[:]), "-")
	}
	before := loadAverage()
	r.Machine["load average before"] = before
	if busy, err := strconv.ParseFloat(before, 64); err == nil && busy > loadQuiet {
		r.Notes = append(r.Notes, fmt.Sprintf("the load average was %s before the run began: times are not worth publishing; repeat it on "+
			"a quiet machine.", before))
	}
	return r
}

// loadQuiet is the load average above which the machine was busy with something else. One that has just built Holdfast shows less.
const loadQuiet = 1.0

// loadAverage is that of the last minute.
func loadAverage() string {
	data, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return err.Error()
	}
	first, _, _ := strings.Cut(string(data), " ")
	return first
}

func firstLine(ctx context.Context, argv []string) string {
	path := argv[0]
	if _, err := exec.LookPath(path); err != nil {
		path = filepath.Join("/usr/sbin", path) // where distributions put servers and ordinary users do not look
	}
	out, err := exec.CommandContext(ctx, path, argv[1:]...).CombinedOutput()
	if err != nil {
		return fmt.Sprintf("ask %s for its version: %v", argv[0], err)
	}
	first, _, _ := strings.Cut(string(out), "\n")
	first, _, _ = strings.Cut(first, " - ")
	first, _, _ = strings.Cut(first, " sha=")
	return first
}
