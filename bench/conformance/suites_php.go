package conformance

import (
	"context"
	"net"
	"path/filepath"
	"regexp"
)

// phpRedis is the suite of the PHP extension. The extension comes from the Debian package, its tests from the source of
// the same package; the second archive in there is the older extension for older versions of PHP.
func phpRedis() Suite {
	return Suite{
		Name: "php-redis", Version: "5.3.7",
		Fetch: func(ctx context.Context, dir string) error { return fetchDebianSource(ctx, dir, "php-redis") },
		Command: func(j Job, address string) command {
			host, port, _ := net.SplitHostPort(address) // the rig made it
			return command{
				argv: []string{"php", "TestRedis.php", "--nocolors", "--host", host, "--port", port, "--class", "Redis"},
				dir:  filepath.Join(j.Fetched, "source", "redis-5.3.7", "tests"),
				// Tests of sessions start PHP again, and without this they would load the extension a second time.
				env: []string{"TEST_PHP_ARGS=-d display_errors=0"},
			}
		},
		Parse: parsePHP,
		Alone: []exclusion{{regexp.MustCompile(`^testWait$`), "WAIT counts the replica"}},
		Local: []exclusion{
			{regexp.MustCompile(`(?i)scan`), "a SCAN cursor belongs to one node"},
			{regexp.MustCompile(`LockRetryCount|lockWaitTime`), "wants to be through within 3 s, waits included"},
		},
	}
}
