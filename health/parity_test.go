package health

import (
	"slices"
	"strings"
	"testing"
)

func TestCompare(t *testing.T) {
	settings := func(pairs ...string) (p Parity) {
		p.Settings = map[string]string{}
		for i := 0; i+1 < len(pairs); i += 2 {
			p.Settings[pairs[i]] = pairs[i+1]
		}
		return p
	}
	users := func(lines ...string) Parity { return Parity{Users: ParseUsers(lines)} }
	for _, c := range []struct {
		name            string
		master, replica Parity
		want            []string // how each difference begins
	}{
		{"alike", settings("timeout", "0", "databases", "16"), settings("timeout", "0", "databases", "16"), nil},
		{"a setting", settings("notify-keyspace-events", "KEA"), settings("notify-keyspace-events", ""),
			[]string{"differs from the master in notify-keyspace-events: 'KEA' there, '' here; set it with CONFIG SET and in redis.conf"}},
		{"one that needs a restart", settings("databases", "16"), settings("databases", "4"),
			[]string{"differs from the master in databases: '16' there, '4' here; set it in redis.conf and restart"}},
		{"one that the other does not have", settings("busy-reply-threshold", "5000"), settings(), nil},
		{"one that nobody asked for", settings("dir", "/a"), settings("dir", "/b"), nil},
		{"nothing is known of one", settings("timeout", "1"), Parity{}, nil},
		{"users alike", users("user default on nopass ~* &* +@all", "user app on #aa #bb ~* +@all"),
			users("user app on #bb #aa ~* +@all", "user default on nopass ~* &* +@all"), nil},
		{"the default user", users("user default on #aa ~* &* +@all"), users("user default on nopass ~* &* +@all"),
			[]string{"differs from the master in the password (requirepass) or the rules of the default user"}},
		{"users", users("user default on", "user app on #aa", "user old on", "user gone on"),
			users("user default on", "user app on #bb", "user old on", "user new on"),
			[]string{"differs from the master in ACL users: 1 missing here, 1 with other passwords or rules, 1 only here"}},
		{"the order of rules counts", users("user app on +@all -get"), users("user app on -get +@all"),
			[]string{"differs from the master in ACL users: 0 missing here, 1 with other"}},
		{"denied", Parity{Denied: []string{"ACL LIST: NOPERM no"}}, Parity{Denied: []string{"CONFIG GET: NOPERM no"}},
			[]string{"cannot be compared with the master, which refuses: ACL LIST",
				"cannot be compared with the master, because it refuses: CONFIG GET"}},
	} {
		got := Compare(c.master, c.replica)
		begins := func(d Difference, want string) bool { return strings.HasPrefix(d.Text, want) }
		if !slices.EqualFunc(got, c.want, begins) {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

// What is said of users must not tell who they are, nor their passwords.
func TestComparisonNamesNoUser(t *testing.T) {
	there := Parity{Users: ParseUsers([]string{"user secretname on #c0ffee ~* +@all"})}
	for _, d := range Compare(there, Parity{Users: map[string][32]byte{}}) {
		if strings.Contains(d.Text, "secretname") || strings.Contains(d.Text, "c0ffee") {
			t.Errorf("got %q", d.Text)
		}
	}
}

// Servers list the same rules in another order; an order that means something makes another user.
func TestUsersAreComparedWithoutChance(t *testing.T) {
	const rules = "user u on #aa #bb ~a* ~b* resetchannels -@all +@read -@dangerous +get -keys +client|list (~x* -@all +set +get)"
	hash := func(line string) [32]byte { return ParseUsers([]string{line})["u"] }
	for line, same := range map[string]bool{
		"user u on #bb #aa ~b* ~a* resetchannels -@all +@read -@dangerous -keys +client|list +get (~x* -@all +get +set)": true,
		"user u on #aa #bb ~a* ~b* resetchannels -@all -@dangerous +@read +get -keys +client|list (~x* -@all +set +get)": false,
		"user u on #aa #bb ~a* ~b* resetchannels -@all +@read -@dangerous +get -keys +client|list (~x* -@all +set)":      false,
		"user u on #aa #bb ~a* ~b* resetchannels -@all +@read -@dangerous +get -keys (~x* -@all +set +get +client|list)": false,
		"user u on #aa #bc ~a* ~b* resetchannels -@all +@read -@dangerous +get -keys +client|list (~x* -@all +set +get)": false,
	} {
		if got := hash(line) == hash(rules); got != same {
			t.Errorf("%s: got the same %t, want %t", line, got, same)
		}
	}
}
