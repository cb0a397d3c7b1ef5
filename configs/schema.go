package configs

import "strings"

// schema is every key, as the example full.toml explains them. A test holds the two together.
func schema() []string {
	return []string{
		"state_dir",
		"admin.listen", "admin.token_file",
		"proxy.loops", "proxy.clients_max", "proxy.clients_per_address", "proxy.congestion",
		"proxy.handshake_timeout", "proxy.request_timeout", "proxy.idle_timeout", "proxy.output_timeout",
		"pool.name", "pool.listen", "pool.protocol", "pool.failover", "pool.deny", "pool.backends",
		"pool.backends.name", "pool.backends.address", "pool.backends.machine",
		"pool.check.interval", "pool.check.silence", "pool.check.patience", "pool.check.username",
		"pool.check.password_file",
		"pool.hold.max_wait", "pool.hold.max_clients",
		"pool.policy.in_flight", "pool.policy.unknown_state", "pool.policy.scan_cursors",
		"pool.policy.max_loss", "pool.policy.min_gap", "pool.policy.drain_max",
		"supervisor.provider", "supervisor.ladder",
	}
}

// schemaOf is a path without its indices: `pool[0].check` is pool.check.
func schemaOf(path string) string {
	var b strings.Builder
	inside := false
	for _, c := range path {
		switch {
		case c == '[':
			inside = true
		case c == ']':
			inside = false
		case !inside:
			b.WriteRune(c)
		}
	}
	return b.String()
}

// nearDistanceMax is how many letters may be wrong for a word to be taken for a misspelling: two catches swapped,
// doubled and missing letters. At least half of the letters must be right.
const nearDistanceMax = 2

// nearest is the known key that was probably meant.
func nearest(key string, known []string) (string, bool) {
	best, bestDistance := "", nearDistanceMax+1
	for _, k := range known {
		d := distance(key, k)
		if d < bestDistance && 2*d <= len(k) {
			best, bestDistance = k, d
		}
	}
	return best, best != ""
}

// distance is how many letters have to be added, removed or replaced to turn a into b. Keys differ in "-" and "_" more
// often than in anything else, so these two are the same letter here.
func distance(a, b string) int {
	a, b = strings.ToLower(strings.ReplaceAll(a, "-", "_")), strings.ToLower(b)
	if len(a) > len(b)+nearDistanceMax {
		return len(a)
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
