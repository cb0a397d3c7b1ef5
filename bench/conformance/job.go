package conformance

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// roundMax is the end of a suite that hangs as a whole. The longest takes six minutes, with a pair for each of its tests.
const roundMax = 15 * time.Minute

// vainMax is how often a round is repeated that ended because the machine was too busy to start a server in time.
const vainMax = 4

// warmUp is how long a suite runs before its master dies for the first time.
const warmUp = time.Second

// Job is one suite in one mode. It is done by a process of its own, inside a network namespace.
type Job struct {
	Suite   string
	Mode    Mode
	Binary  string        // the built holdfast
	Fetched string        // what Fetch made
	Scratch string        // for this job alone
	Log     string        // what the suite prints
	For     time.Duration // with failovers, and for programs that run as long as they are told to
	Every   time.Duration // between two deaths of the master
	// Namespace: this process has a network of its own, which begins with its loopback down.
	Namespace bool
}

// resultFile is where the job leaves its result.
func (j Job) resultFile() string { return filepath.Join(j.Scratch, "result.json") }

// RunJob does the job that file describes and writes its result beside it.
func RunJob(ctx context.Context, file string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("read job: %w", err)
	}
	var j Job
	if err := json.Unmarshal(data, &j); err != nil {
		return fmt.Errorf("decode job: %w", err)
	}
	if j.Namespace {
		if err := raiseLoopback(); err != nil {
			return err
		}
	}
	result, err := j.run(ctx)
	if err != nil {
		return err
	}
	return writeJSON(j.resultFile(), result)
}

func writeJSON(file string, v any) error {
	data, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		return fmt.Errorf("encode %s: %w", filepath.Base(file), err)
	}
	if err := os.WriteFile(file, append(data, '\n'), 0o600); err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(file), err)
	}
	return nil
}

func (j Job) run(ctx context.Context) (Result, error) {
	suite, err := FindSuite(j.Suite)
	if err != nil {
		return Result{}, err
	}
	if suite.StandIn {
		return j.runWithStandIns(ctx, suite)
	}
	return j.runWithRig(ctx, suite)
}

// runWithStandIns lets the suite start its own servers, which are not what it takes them for.
func (j Job) runWithStandIns(ctx context.Context, suite Suite) (Result, error) {
	if j.Mode == Direct {
		return j.rounds(ctx, suite, suite.Command(j, ""), nil)
	}
	notes := filepath.Join(j.Scratch, "notes")
	env, err := standInJob{Mode: j.Mode, Binary: j.Binary, Every: j.Every, First: suite.FirstDeath, Dir: j.Scratch,
		Notes: notes}.install(j.Scratch)
	if err != nil {
		return Result{}, err
	}
	result, err := j.rounds(ctx, suite, suite.Command(j, ""), env)
	if err != nil {
		return result, err
	}
	all, err := readNotes(notes)
	for _, n := range all {
		switch {
		case n.Fault != nil:
			result.Faults = append(result.Faults, *n.Fault)
		case n.Skipped != "":
			result.Notes = append(result.Notes, n.Skipped)
		case n.Failed != "":
			result.Tests = append(result.Tests, Test{Name: "(server)", State: Failed, Messages: []string{n.Failed}})
		}
	}
	return result, err
}

// runWithRig gives the suite one server, or what it takes for one.
func (j Job) runWithRig(ctx context.Context, suite Suite) (result Result, err error) {
	r, err := newRig(ctx, filepath.Join(j.Scratch, "rig"), rigOptions{Mode: j.Mode, Binary: j.Binary, Port: suite.Port})
	if err != nil {
		return Result{}, err
	}
	defer func() { err = errors.Join(err, r.close()) }()
	broken := make(chan error, 1)
	breaking, stop := context.WithCancel(ctx)
	defer stop()
	var faults []Fault
	if j.Mode == Failover {
		b := &breaker{rig: r, first: warmUp, every: j.Every, saw: func(f Fault) { faults = append(faults, f) }}
		go runBreaker(breaking, b, broken) // awaited below
	} else {
		broken <- nil
	}
	result, err = j.rounds(ctx, suite, suite.Command(j, r.address), nil)
	stop()
	if breakErr := <-broken; breakErr != nil {
		result.Tests = append(result.Tests, Test{Name: "(failover)", State: Failed, Messages: []string{breakErr.Error()}})
	}
	if err != nil {
		return result, err
	}
	result.Faults = faults
	result.Closed, err = r.closed(ctx)
	return result, err
}

// rounds runs the suite once, or with failovers as often as the time allows.
func (j Job) rounds(ctx context.Context, suite Suite, c command, env []string) (Result, error) {
	result := Result{Suite: suite.Name, Version: suite.Version, Mode: j.Mode, Command: strings.Join(c.argv, " ")}
	began, vain := time.Now(), 0
	for result.Rounds == 0 || j.Mode == Failover && !suite.Timed && time.Since(began) < j.For {
		lines, err := j.execute(ctx, c, env)
		if err != nil {
			return result, err
		}
		if suite.tooSlow(lines) && vain < vainMax {
			vain++
			result.Notes = append(result.Notes, "a round was repeated: the suite gave its server no time to start")
			continue
		}
		tests, err := suite.Parse(lines, j)
		if err != nil {
			return result, err
		}
		if len(tests) == 0 {
			return result, fmt.Errorf("run %s: it reported no test: %s", suite.Name, lastLines(lines))
		}
		result.Tests = append(result.Tests, tests...)
		result.Rounds++
	}
	result.Took = time.Since(began)
	return result, nil
}

// execute runs the suite once and returns each line that it printed. That it fails is for Parse to say.
func (j Job) execute(ctx context.Context, c command, env []string) (lines []line, err error) {
	ctx, cancel := context.WithTimeout(ctx, roundMax)
	defer cancel()
	cmd := exec.CommandContext(ctx, c.argv[0], c.argv[1:]...)
	cmd.Dir, cmd.Env = c.dir, append(append(os.Environ(), c.env...), env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	log, err := os.OpenFile(j.Log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open log of %s: %w", j.Suite, err)
	}
	defer log.Close()
	out, in, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("make pipe for %s: %w", j.Suite, err)
	}
	defer out.Close()
	cmd.Stdout, cmd.Stderr = in, in
	err = cmd.Start()
	_ = in.Close() // the child has its own
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", j.Suite, err)
	}
	lines = readLines(io.TeeReader(out, log))
	err = cmd.Wait()
	// A suite that panics leaves its servers behind. They are in its process group, and whatever is not gone goes now.
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return lines, fmt.Errorf("run %s: %w", j.Suite, err)
	}
	if ctx.Err() != nil {
		lines = append(lines, line{time.Now(), fmt.Sprintf("ended after %s: %v", roundMax, context.Cause(ctx))})
	}
	return lines, nil
}

// readLines reads to the end. A line may be longer than a scanner would take: suites print whole values.
func readLines(r io.Reader) (lines []line) {
	in := bufio.NewReader(r)
	for {
		text, err := in.ReadString('\n')
		if text != "" {
			lines = append(lines, line{time.Now(), strings.TrimRight(text, "\r\n")})
		}
		if err != nil {
			return lines
		}
	}
}

// lastLines are for the error of a suite that did not begin.
func lastLines(lines []line) string {
	var texts []string
	for _, l := range lines[max(0, len(lines)-10):] {
		texts = append(texts, l.text)
	}
	return strings.Join(texts, "\n")
}
