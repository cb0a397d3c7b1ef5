package conformance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

// ErrDiffers is returned when a suite ended otherwise than it does directly, and no documented error explains it.
var ErrDiffers = errors.New("a suite differs from its direct run")

// Options say what is run, and how long under failovers.
type Options struct {
	Binary   string   // the built holdfast
	Suites   []string // none: all
	Modes    []Mode   // none: all
	For      time.Duration
	Every    time.Duration
	Out      string // directory for the JSON, the logs and the raw results
	Table    io.Writer
	Progress io.Writer
}

// Run fetches each suite and runs it in each mode. The table comes at the end, the JSON after each suite.
func Run(ctx context.Context, o Options) (err error) {
	suites, err := o.suites()
	if err != nil {
		return err
	}
	if len(o.Modes) == 0 {
		o.Modes = []Mode{Direct, Through, Failover, Guarded}
	}
	if o.Out, err = filepath.Abs(o.Out); err != nil {
		return fmt.Errorf("find output directory: %w", err)
	}
	if err := os.MkdirAll(o.Out, 0o755); err != nil {
		return fmt.Errorf("make output directory: %w", err)
	}
	dir, err := os.MkdirTemp("", "holdfast-conformance-")
	if err != nil {
		return fmt.Errorf("make work directory: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	var reports []SuiteReport
	for _, suite := range suites {
		report, err := o.suite(ctx, suite, filepath.Join(dir, suite.Name))
		if err != nil {
			return fmt.Errorf("suite %s: %w", suite.Name, err)
		}
		reports = append(reports, report)
		if err := writeJSON(filepath.Join(o.Out, "conformance.json"), reports); err != nil {
			return err
		}
	}
	if err := WriteTable(o.Table, reports); err != nil {
		return err
	}
	for _, r := range reports {
		if !r.ok() {
			return ErrDiffers
		}
	}
	return nil
}

func (o Options) suites() ([]Suite, error) {
	if len(o.Suites) == 0 {
		return Suites(), nil
	}
	var chosen []Suite
	for _, name := range o.Suites {
		s, err := FindSuite(name)
		if err != nil {
			return nil, err
		}
		chosen = append(chosen, s)
	}
	return chosen, nil
}

func (o Options) suite(ctx context.Context, suite Suite, dir string) (SuiteReport, error) {
	fetched := filepath.Join(dir, "fetched")
	if err := os.MkdirAll(fetched, 0o700); err != nil {
		return SuiteReport{}, fmt.Errorf("make directory: %w", err)
	}
	fmt.Fprintf(o.Progress, "%s %s: fetch\n", suite.Name, suite.Version)
	if err := suite.Fetch(ctx, fetched); err != nil {
		return SuiteReport{}, err
	}
	results := map[Mode]Result{}
	for _, mode := range o.Modes {
		if err := o.runMode(ctx, suite, mode, dir, results); err != nil {
			return SuiteReport{}, err
		}
	}
	if err := o.again(ctx, suite, dir, results); err != nil {
		return SuiteReport{}, err
	}
	return reportOn(suite, results), nil
}

// againMax is how often the direct run is repeated to find out whether a test that differs is one that now fails and now
// passes: one that fails directly in every third run is called different in one case of fifty.
const againMax = 9

// again repeats the direct run as long as something differs that may be the test's own doing.
func (o Options) again(ctx context.Context, suite Suite, dir string, results map[Mode]Result) error {
	if _, ok := results[Direct]; !ok || suite.Timed {
		return nil
	}
	for range againMax {
		doubt := doubtful(suite, results)
		if len(doubt) == 0 {
			return nil
		}
		for _, d := range doubt {
			fmt.Fprintf(o.Progress, "%s: directly once more, because of %s, %s: %s\n", suite.Name, d.Test, d.Mode, d.What)
		}
		if err := o.runMode(ctx, suite, Direct, dir, results); err != nil {
			return err
		}
	}
	return nil
}

// doubtful are the tests that differ without any failover that could have made it so.
func doubtful(suite Suite, results map[Mode]Result) (doubt []Difference) {
	through, ok := results[Through]
	if ok {
		doubt = differences(suite, results[Direct], through)
	}
	_, findings := explain(suite, results[Failover], results[Direct], through)
	return append(doubt, slices.DeleteFunc(findings, func(d Difference) bool { return d.What != calm })...)
}

// runMode adds one run to the results.
func (o Options) runMode(ctx context.Context, suite Suite, mode Mode, dir string, results map[Mode]Result) error {
	r, err := o.job(ctx, suite, Job{Suite: suite.Name, Mode: mode, Binary: o.Binary, Fetched: filepath.Join(dir, "fetched"),
		Scratch: filepath.Join(dir, mode.String()), Log: filepath.Join(o.Out, suite.Name+"-"+mode.String()+".log"), For: o.For, Every: o.Every})
	if err != nil {
		return fmt.Errorf("%s: %w", mode, err)
	}
	fmt.Fprintf(o.Progress, "%s %s, %s: %d passed, %d failed, %d skipped, %d rounds, %d failovers, %s\n", suite.Name, suite.Version, mode,
		r.count(Passed), r.count(Failed), r.count(Skipped), r.Rounds, len(r.Faults), r.Took.Round(time.Second))
	if before, ok := results[mode]; ok {
		r.Tests, r.Rounds, r.Took = append(before.Tests, r.Tests...), before.Rounds+r.Rounds, before.Took+r.Took
	}
	results[mode] = r
	return writeJSON(filepath.Join(o.Out, suite.Name+"-"+mode.String()+".json"), r)
}

// job runs a process in a network of its own and reads the result that it leaves. Where nobody may make a network, a suite
// that insists on no port uses the machine's loopback.
func (o Options) job(ctx context.Context, suite Suite, j Job) (r Result, err error) {
	if err := os.MkdirAll(j.Scratch, 0o700); err != nil {
		return r, fmt.Errorf("make directory: %w", err)
	}
	if err := os.RemoveAll(j.Log); err != nil {
		return r, fmt.Errorf("remove old log: %w", err)
	}
	j.Namespace = true
	err = o.child(ctx, j)
	if (errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSPC)) && suite.Port == 0 {
		fmt.Fprintf(o.Progress, "%s: on the machine's own loopback: %v\n", j.Suite, err)
		j.Namespace = false
		err = o.child(ctx, j)
	}
	if err != nil {
		return r, err
	}
	data, err := os.ReadFile(j.resultFile())
	if err != nil {
		return r, fmt.Errorf("read result: %w", err)
	}
	if err := json.Unmarshal(data, &r); err != nil {
		return r, fmt.Errorf("decode result: %w", err)
	}
	return r, errors.Join(err, os.RemoveAll(j.Scratch))
}

func (o Options) child(ctx context.Context, j Job) error {
	file := filepath.Join(j.Scratch, "job.json")
	if err := writeJSON(file, j); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, o.Binary, "bench", "conformance-job", file)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if j.Namespace {
		cmd.SysProcAttr = inNamespace()
	}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("run job: %w: %s", err, out)
	}
	return nil
}
