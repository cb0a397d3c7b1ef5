package main

import (
	"context"
	"errors"
	"log/slog"

	"holdfast/configs"
)

// runDaemon is not wired yet.
func runDaemon(_ context.Context, _ configs.Config, _ *slog.Logger) error {
	return errors.New("run daemon: not wired yet")
}
