package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"holdfast/bench/load"
)

// loadFlags are the words of the command line that are not yet the options of a load.
type loadFlags struct {
	options      load.Options
	mix          string
	passwordFile string
	output       string
	page         string
	quiet        bool
}

const loadHelp = `Send requests to a Redis address by the clock and report how long each took from the moment at which it was due, so that a
pause is charged with every request it delayed. The result goes to stdout, a line for each second to stderr.

It writes keys that begin with holdfast:bench: and nothing else, removes them at the end, and lets them expire should it be
killed. Naming an address is consent to load it.

Kinds of a mix: get, set, pipeline, big, pubsub, blocking, transaction, script. pubsub and blocking also report how long a
message or a job took to the connection that waits for it.

Exit 0 when the load was made, whatever was answered: errors are in the result.`

func (c *cli) benchLoadCommand() *cobra.Command {
	var f loadFlags
	cmd := &cobra.Command{
		Use:   "load HOST:PORT|unix:PATH",
		Short: "Load a Redis address on schedule and report latencies that hide no pause",
		Long:  loadHelp,
		Example: "  holdfast bench load 127.0.0.1:7001 --rate 20000 --connections 500 --duration 30s --html load.html\n" +
			"  holdfast bench load 127.0.0.1:7001 --mix get=60,set=20,transaction=10,pubsub=5,blocking=5 --churn 50 --idle 2000",
		Args: needs("ADDRESS"),
		RunE: func(cmd *cobra.Command, args []string) error {
			f.options.Address = args[0]
			return c.load(cmd, &f)
		},
	}
	f.register(cmd)
	return cmd
}

func (f *loadFlags) register(cmd *cobra.Command) {
	o, flags := &f.options, cmd.Flags()
	flags.Float64Var(&o.Rate, "rate", 0, "requests a second over all connections (default 10000)")
	flags.BoolVar(&o.Closed, "closed", false, "closed loop: as fast as answers come; hides pauses, and every output says so")
	flags.IntVar(&o.Connections, "connections", 50, "connections that send requests")
	flags.IntVar(&o.Idle, "idle", 0, "connections beside them that say nothing")
	flags.IntVar(&o.Churn, "churn", 0, "connections that are closed and made again each second")
	flags.DurationVar(&o.Duration, "duration", 10*time.Second, "how long it counts")
	flags.DurationVar(&o.WarmUp, "warm-up", time.Second, "load before that")
	flags.DurationVar(&o.Timeout, "timeout", 10*time.Second, "a request without an answer for this long is given up with its connection")
	flags.StringVar(&f.mix, "mix", load.MixDefault().String(), "kinds of requests and their weights")
	flags.IntVar(&o.Keys, "keys", 10_000, "keys of small values")
	flags.IntVar(&o.ValueBytes, "value-size", 100, "bytes of a small value")
	flags.IntVar(&o.BigBytes, "big-size", 256<<10, "bytes of a big value")
	flags.IntVar(&o.Depth, "depth", 16, "commands of a pipeline")
	flags.IntVar(&o.Threads, "threads", 1, "threads; one makes some 100,000 requests a second")
	flags.IntVar(&o.Database, "db", 0, "database to select")
	flags.StringVar(&o.Username, "user", "", "ACL user")
	flags.StringVar(&f.passwordFile, "password-file", "", "file with the password")
	flags.Uint64Var(&o.Seed, "seed", 0, "of the order of kinds and keys (default: another each time)")
	flags.BoolVar(&o.Keep, "keep", false, "leave the keys there until they expire")
	flags.StringVarP(&f.output, "output", "o", "table", "table or json")
	flags.StringVar(&f.page, "html", "", "also write a page with charts to this file")
	flags.BoolVarP(&f.quiet, "quiet", "q", false, "no progress on stderr")
}

// complete turns the words into options. All faults are told at once.
func (f *loadFlags) complete(stderr io.Writer) error {
	var errs []error
	if f.output != "table" && f.output != "json" {
		errs = append(errs, fmt.Errorf("--output %q: want table or json", f.output))
	}
	mix, err := load.ParseMix(f.mix)
	if err != nil {
		errs = append(errs, err)
		mix = load.MixDefault() // so that the other options can be judged
	}
	f.options.Mix = mix
	if f.passwordFile != "" {
		data, err := os.ReadFile(f.passwordFile)
		if err != nil {
			errs = append(errs, fmt.Errorf("--password-file: %w", err))
		}
		f.options.Password = strings.TrimRight(string(data), "\r\n")
	}
	f.options = f.options.Defaults()
	errs = append(errs, f.options.Validate())
	if !f.quiet {
		f.options.Progress = f.options.ShowProgress(stderr)
	}
	return errors.Join(errs...)
}

func (c *cli) load(cmd *cobra.Command, f *loadFlags) error {
	if err := f.complete(c.stderr); err != nil {
		return usagef("%w", err)
	}
	result, err := load.Run(cmd.Context(), f.options)
	if err != nil && !errors.Is(err, load.ErrInterrupted) {
		return err
	}
	return errors.Join(c.writeLoad(f, result), err)
}

// writeLoad writes a result in the forms that were asked for.
func (c *cli) writeLoad(f *loadFlags, result load.Result) error {
	if f.page != "" {
		if err := writeFile(f.page, result.WritePage); err != nil {
			return err
		}
	}
	if f.output == "json" {
		encoder := json.NewEncoder(c.stdout)
		encoder.SetIndent("", "  ")
		return encoder.Encode(result)
	}
	return result.WriteTable(c.stdout)
}

// writeFile writes a file as a whole or says why not.
func writeFile(path string, write func(io.Writer) error) error {
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	if err := errors.Join(write(file), file.Close()); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
