package conformance

import (
	"context"
	"embed"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

//go:embed programs
var programFiles embed.FS

// Versions of the npm packages: the newest that were there when the programs were written. The other libraries come with
// the distribution.
const (
	ioredisVersion   = "5.11.1"
	nodeRedisVersion = "5.12.1"
)

// Versions of the Go modules. They are fetched when a suite is run, and built in a module of their own.
const (
	rueidisVersion = "v1.0.45"
	asynqVersion   = "v0.24.1"
)

// programSuites are our own programs, each written as an application would use that library.
func programSuites() []Suite {
	return []Suite{
		program("ioredis", ioredisVersion, "node", []string{"ioredis.js", "scenario.js"}, "ioredis@"+ioredisVersion),
		program("node-redis", nodeRedisVersion, "node", []string{"node-redis.js", "scenario.js"}, "@redis/client@"+nodeRedisVersion),
		program("redis-py", "4.3.4", "/usr/bin/python3", []string{"redis-py.py"}),
		program("redis-rb", "4.8.0", "ruby", []string{"redis-rb.rb"}),
		goProgram("rueidis", rueidisVersion, "github.com/redis/rueidis@"+rueidisVersion),
		goProgram("asynq", asynqVersion, "github.com/hibiken/asynq@"+asynqVersion),
	}
}

// program is one of them: the first file is what runs, with its library from npm or from the machine.
func program(name, version, interpreter string, files []string, packages ...string) Suite {
	fetch := func(ctx context.Context, dir string) error {
		if err := writePrograms(dir, files...); err != nil || len(packages) == 0 {
			return err
		}
		return fetchNode(ctx, dir, packages...)
	}
	return timed(name, version, fetch, interpreter, files[0])
}

// goProgram is one in Go, of the file with its name.
func goProgram(name, version, module string) Suite {
	fetch := func(ctx context.Context, dir string) error {
		files := []string{"scenario.go", name + ".go"}
		if err := writePrograms(dir, files...); err != nil {
			return err
		}
		return fetchGoProgram(ctx, dir, module, files...)
	}
	return timed(name, version, fetch, "./program")
}

// timed is a program that runs as long as it is told to.
func timed(name, version string, fetch func(ctx context.Context, dir string) error, argv ...string) Suite {
	return Suite{
		Name: name, Version: version, Timed: true, Fetch: fetch, Parse: parseProgram,
		Command: func(j Job, address string) command {
			host, port, _ := net.SplitHostPort(address) // the rig made it
			return command{argv: argv, dir: j.Fetched, env: []string{"REDIS_HOST=" + host, "REDIS_PORT=" + port, "SECONDS=" + seconds(j)}}
		},
	}
}

// writePrograms puts some of our programs below dir.
func writePrograms(dir string, files ...string) error {
	for _, file := range files {
		data, err := programFiles.ReadFile("programs/" + file)
		if err != nil {
			return fmt.Errorf("find program: %w", err)
		}
		if err := os.WriteFile(filepath.Join(dir, file), data, 0o600); err != nil {
			return fmt.Errorf("write program: %w", err)
		}
	}
	return nil
}

// calmMax is how long a program runs without failovers: what it finds then it finds soon.
const calmMax = 15 * time.Second

// seconds spells how long a program runs.
func seconds(j Job) string {
	length := j.For
	if j.Mode != Failover {
		length = min(length, calmMax)
	}
	return strconv.Itoa(int(length.Seconds()))
}
