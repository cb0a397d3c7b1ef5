package conformance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// standInEnv names the file that tells a stand-in what to be.
const standInEnv = "HOLDFAST_STANDIN"

// standInJob is what all stand-ins of a run share.
type standInJob struct {
	Mode   Mode
	Binary string
	Every  time.Duration
	First  time.Duration // the first death comes within
	Dir    string        // for servers; whoever started the run removes it
	Notes  string        // a file: one note a line
}

// note is what a stand-in has to tell after its end, which usually is a SIGKILL.
type note struct {
	Fault   *Fault `json:"fault,omitempty"`
	Skipped string `json:"skipped,omitempty"`
	Failed  string `json:"failed,omitempty"`
}

// install writes the program that a suite finds under the name redis-server, and returns the environment that leads to it.
func (j standInJob) install(dir string) ([]string, error) {
	file := filepath.Join(dir, "standin.json")
	data, err := json.Marshal(j)
	if err != nil {
		return nil, fmt.Errorf("encode stand-in: %w", err)
	}
	if err := os.WriteFile(file, data, 0o600); err != nil {
		return nil, fmt.Errorf("write stand-in: %w", err)
	}
	path := os.Getenv("PATH")
	script := fmt.Sprintf("#!/bin/sh\n# The suite's own search path is put back, so that the real server is found behind this one.\n"+
		"PATH='%s'; export PATH\nexec '%s' bench redis-server -- \"$@\"\n", path, j.Binary)
	bin := filepath.Join(dir, "bin")
	if err := os.MkdirAll(bin, 0o700); err != nil {
		return nil, fmt.Errorf("make directory of the stand-in: %w", err)
	}
	if err := os.WriteFile(filepath.Join(bin, "redis-server"), []byte(script), 0o700); err != nil {
		return nil, fmt.Errorf("write stand-in: %w", err)
	}
	return []string{standInEnv + "=" + file, "PATH=" + bin + ":" + path}, nil
}

// StandIn is redis-server to a suite that starts its own: it takes the arguments and the configuration on stdin, starts the
// real server on another port and Holdfast on the one that was asked for, and ends with the signal that would end a server.
func StandIn(ctx context.Context, args []string, stdin io.Reader, stdout io.Writer) error {
	data, err := os.ReadFile(os.Getenv(standInEnv))
	if err != nil {
		return fmt.Errorf("read stand-in: %w", err)
	}
	var job standInJob
	if err := json.Unmarshal(data, &job); err != nil {
		return fmt.Errorf("decode stand-in: %w", err)
	}
	server, err := parseServerArgs(args, stdin)
	if err != nil {
		return err
	}
	if server.version || server.tls {
		if server.tls {
			job.note(note{Skipped: "TLS: the listener of a Holdfast without TLS cannot take the place of this server"})
		}
		return becomeServer(server)
	}
	err = job.serve(ctx, server, stdout)
	if err != nil && ctx.Err() == nil {
		job.note(note{Failed: err.Error()})
		return err
	}
	return nil
}

// becomeServer replaces this process by the real server.
func becomeServer(s serverArgs) error {
	program, err := exec.LookPath("redis-server")
	if err != nil {
		return fmt.Errorf("find redis-server: %w", err)
	}
	if err := syscall.Exec(program, append([]string{"redis-server"}, s.all...), os.Environ()); err != nil {
		return fmt.Errorf("execute %s: %w", program, err)
	}
	return nil
}

func (j standInJob) serve(ctx context.Context, s serverArgs, stdout io.Writer) (err error) {
	dir, err := os.MkdirTemp(j.Dir, "standin-")
	if err != nil {
		return fmt.Errorf("make directory of the stand-in: %w", err)
	}
	r, err := newRig(ctx, dir, rigOptions{Mode: j.Mode, Binary: j.Binary, Port: s.port, Args: s.rest, User: s.user, Password: s.password,
		Early: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.close()) }()
	fmt.Fprintln(stdout, "1:M 01 Jan 2000 00:00:00.000 * Ready to accept connections")
	if j.Mode != Failover {
		<-ctx.Done()
		return nil
	}
	b := &breaker{rig: r, first: rand.N(j.First), every: j.Every, saw: func(f Fault) { j.note(note{Fault: &f}) }}
	return b.run(ctx)
}

// note appends one line. Lines of this size are written whole, so that stand-ins that live at the same time do not mix.
func (j standInJob) note(n note) {
	data, err := json.Marshal(n)
	if err != nil {
		return // it has no field that could not be encoded
	}
	file, err := os.OpenFile(j.Notes, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return // the run has ended and taken its directory with it
	}
	defer file.Close()
	_, _ = file.Write(append(data, '\n')) // as above
}

// readNotes collects what the stand-ins of a run had to tell.
func readNotes(file string) (notes []note, err error) {
	data, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read notes of the stand-ins: %w", err)
	}
	for line := range strings.Lines(string(data)) {
		var n note
		if err := json.Unmarshal([]byte(line), &n); err != nil {
			return nil, fmt.Errorf("decode note of a stand-in: %w", err)
		}
		notes = append(notes, n)
	}
	return notes, nil
}
