package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"holdfast/admin"
)

// The exit codes. They are a public contract: numbers are added, never reused. 'check' has its own, the four of Nagios.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitConfig      = 3  // 'config check' found faults
	exitNotFound    = 4  // no such pool or backend
	exitConflict    = 5  // the state of the pool does not allow the order now
	exitRefused     = 6  // a safety rule forbids the order; nothing was changed
	exitTimeout     = 7  // the daemon goes on with the order
	exitUnreachable = 8  // no daemon answers
	exitBadConfig   = 78 // 'run' with a faulty configuration: EX_CONFIG of sysexits.h, for RestartPreventExitStatus= of a unit
)

const exitHelp = `Exit codes:
  0  done                        5  conflict with the state of the pool
  1  failed                      6  refused by a safety rule, nothing was changed
  2  wrong usage                 7  timed out, the daemon goes on with the order
  3  faulty configuration        8  no daemon answers
  4  no such pool or backend    78  'run' with a faulty configuration
'check' uses the codes of Nagios: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.`

// exitError is an error that knows how the process should end because of it.
type exitError struct {
	code  int
	err   error
	quiet bool // the command has said everything already
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error {
	return &exitError{code: exitUsage, err: fmt.Errorf(format, args...)}
}

// asUsage turns an error of the command line's parser into one that says where help is. An error that already has a code keeps it.
func asUsage(cmd *cobra.Command, err error) error {
	var e *exitError
	if errors.As(err, &e) {
		return err
	}
	return usagef("%w; see '%s --help'", err, cmd.CommandPath())
}

// report writes err as one line, unless the command spoke for itself, and returns the exit code.
func report(stderr io.Writer, err error) int {
	if err == nil {
		return exitOK
	}
	code, quiet := exitFailed, false
	var e *exitError
	if errors.As(err, &e) {
		code, quiet = e.code, e.quiet
	}
	if !quiet {
		fmt.Fprintf(stderr, "holdfast: %v\n", err)
	}
	return code
}

// problemExit maps what the daemon said to an exit code.
func problemExit(p *admin.Problem) int {
	switch p.Code {
	case admin.CodeNotFound:
		return exitNotFound
	case admin.CodeConflict:
		return exitConflict
	case admin.CodeRefused:
		return exitRefused
	case admin.CodeTimeout:
		return exitTimeout
	default:
		return exitFailed
	}
}

// linkExit classifies an exchange with the daemon that ended without an answer.
func linkExit(ctx context.Context, err error) int {
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return exitTimeout
	case errors.Is(ctx.Err(), context.Canceled):
		return exitFailed
	case err != nil:
		return exitUnreachable
	default:
		return exitOK
	}
}
