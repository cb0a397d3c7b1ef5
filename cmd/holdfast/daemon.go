package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/spf13/cobra"
)

func (c *cli) daemonCommand() *cobra.Command {
	var path, level string
	cmd := &cobra.Command{
		Use:   "run -c FILE",
		Short: "Run the proxy in the foreground until it is told to stop",
		Long: "Run the proxy in the foreground until SIGTERM or SIGINT; a second signal ends it at once.\n\n" +
			"The log goes to stderr, as text on a terminal and as JSON elsewhere.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if path == "" {
				return usagef("-c FILE is needed; 'holdfast config check FILE' checks one")
			}
			logger, err := newLogger(c.stderr, level)
			if err != nil {
				return err
			}
			cfg, err := loadConfig(path)
			if err != nil {
				return c.badConfig(err)
			}
			for _, warning := range cfg.Warnings() {
				logger.Warn("configuration", slog.String("warning", warning))
			}
			return ended(cmd.Context(), runDaemon(cmd.Context(), cfg, logger))
		},
	}
	cmd.Flags().StringVarP(&path, "config", "c", "", "configuration file (TOML)")
	cmd.Flags().StringVar(&level, "log-level", "info", "least severe log line to write: debug, info, warn or error")
	return cmd
}

// badConfig prints the faults as they are, one per line, so that an editor can jump to them.
func (c *cli) badConfig(err error) error {
	fmt.Fprintln(c.stderr, err)
	return &exitError{code: exitBadConfig, err: err, quiet: true}
}

// ended tells a daemon that was asked to stop, which is a success, from one that could not go on.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil && (errors.Is(err, ctx.Err()) || errors.Is(err, context.Cause(ctx))) {
		return nil
	}
	return err
}

// newLogger writes text for people and JSON for collectors. The difference is whether w is a terminal.
func newLogger(w io.Writer, level string) (*slog.Logger, error) {
	var least slog.Level
	if err := least.UnmarshalText([]byte(level)); err != nil {
		return nil, usagef("--log-level %q: want debug, info, warn or error", level)
	}
	options := &slog.HandlerOptions{Level: least}
	if isTerminal(w) {
		return slog.New(slog.NewTextHandler(w, options)), nil
	}
	return slog.New(slog.NewJSONHandler(w, options)), nil
}
