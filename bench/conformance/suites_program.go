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

// programSuites are our own programs, each written as an application would use that library.
func programSuites() []Suite {
	return []Suite{
		program("ioredis", ioredisVersion, "node", []string{"ioredis.js", "scenario.js"}, "ioredis@"+ioredisVersion),
		program("node-redis", nodeRedisVersion, "node", []string{"node-redis.js", "scenario.js"}, "@redis/client@"+nodeRedisVersion),
		program("redis-py", "4.3.4", "/usr/bin/python3", []string{"redis-py.py"}),
		program("redis-rb", "4.8.0", "ruby", []string{"redis-rb.rb"}),
	}
}

// program is one of them: the first file is what runs, with its library from npm or from the machine.
func program(name, version, interpreter string, files []string, packages ...string) Suite {
	return Suite{
		Name: name, Version: version, Timed: true,
		Fetch: func(ctx context.Context, dir string) error {
			for _, file := range files {
				data, err := programFiles.ReadFile("programs/" + file)
				if err != nil {
					return fmt.Errorf("find program: %w", err)
				}
				if err := os.WriteFile(filepath.Join(dir, file), data, 0o600); err != nil {
					return fmt.Errorf("write program: %w", err)
				}
			}
			if len(packages) == 0 {
				return nil
			}
			return fetchNode(ctx, dir, packages...)
		},
		Command: func(j Job, address string) command {
			host, port, _ := net.SplitHostPort(address) // the rig made it
			return command{
				argv: []string{interpreter, files[0]},
				dir:  j.Fetched,
				env:  []string{"REDIS_HOST=" + host, "REDIS_PORT=" + port, "SECONDS=" + seconds(j)},
			}
		},
		Parse: parseProgram,
	}
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
