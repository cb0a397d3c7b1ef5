package conformance

import (
	"context"
	"path/filepath"
	"regexp"
	"time"
)

// goTest is a compiled test of a Go module, made by fetchGoTests.
func goTest(j Job, below string, env []string, flags ...string) command {
	return command{
		argv: append([]string{filepath.Join(j.Fetched, "suite.test")}, flags...),
		dir:  filepath.Join(j.Fetched, "source", below),
		env:  env,
	}
}

// minired compares a real server, command by command, with an in-memory model of Redis.
func minired() Suite {
	return Suite{
		Name: "miniredis", Version: "v2.33.0 integration", StandIn: true,
		Fetch: func(ctx context.Context, dir string) error {
			return fetchGoTests(ctx, dir, "github.com/alicebob/miniredis/v2@v2.33.0", "./integration")
		},
		Command: func(j Job, _ string) command {
			return goTest(j, "integration", []string{"INT=1"}, "-test.v", "-test.timeout", "14m")
		},
		Parse:      parseGoTest,
		FirstDeath: 40 * time.Millisecond, // most of its tests end after 5 to 50 ms
		Impatient:  regexp.MustCompile(`^panic: No connection on port`),
		Local:      []exclusion{{regexp.MustCompile(`^TestExpire$`), "the model's PEXPIRETIME depends on when it is asked"}},
		Shaky: []exclusion{
			{regexp.MustCompile(`^Test(Blpop|Brpoplpush)$`), "counts on another client being served within 10 or 20 ms"},
		},
	}
}

// redigo is tested with the tests of its one package.
func redigo() Suite {
	return Suite{
		Name: "redigo", Version: "v1.9.2", StandIn: true,
		Fetch: func(ctx context.Context, dir string) error {
			return fetchGoTests(ctx, dir, "github.com/gomodule/redigo@v1.9.2", "./redis")
		},
		Command: func(j Job, _ string) command {
			return goTest(j, "redis", nil, "-test.v", "-test.timeout", "2m", "-redis-server", "redis-server", "-redis-port", "16379")
		},
		Parse: parseGoTest,
		Shaky: []exclusion{
			{regexp.MustCompile(`^TestLatency`), "wants the server itself to take exactly so many milliseconds"},
		},
		FirstDeath: time.Second, // all its tests share one server and take a little longer
	}
}

// goRedisPort is where the suite looks for its server when it is told to start none.
const goRedisPort = 6379

// goRedis runs every test that needs one server. RE_CLUSTER makes the suite use a server that is already there; it has no
// other way to be told so.
func goRedis() Suite {
	focus, skip := `Commands|PubSub|Pipeline|Tx|Client|pool|ScanIterator|races|Eval`,
		`JSON|RediSearch|TimeSeries|Probabilistic|Gears|luster|entinel|Ring`
	return Suite{
		Name: "go-redis", Version: "v9.7.0", Port: goRedisPort,
		Fetch: func(ctx context.Context, dir string) error {
			return fetchGoTests(ctx, dir, "github.com/redis/go-redis/v9@v9.7.0", ".")
		},
		Command: func(j Job, _ string) command {
			return goTest(j, "", []string{"RE_CLUSTER=true"}, "-test.run", "^TestGinkgoSuite$", "-test.timeout", "5m",
				"-ginkgo.focus", focus, "-ginkgo.skip", skip, "-ginkgo.no-color", "-ginkgo.json-report", ginkgoReport(j))
		},
		Parse: parseGinkgo,
		Excluded: []exclusion{
			{regexp.MustCompile(`JSON|RediSearch|TimeSeries|Probabilistic|Gears`), "needs a module that the server does not have"},
			{regexp.MustCompile(`luster|entinel|Ring`), "needs a cluster, Sentinels or several servers"},
		},
		Alone: []exclusion{{regexp.MustCompile(`should Wait$`), "WAIT counts the replica"}},
		Strays: []exclusion{
			{regexp.MustCompile(`use of closed network connection|redis: client is closed`),
				"the suite closed this client itself, and a goroutine of an earlier test goes on"},
		},
	}
}
