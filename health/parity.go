package health

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
)

// Parity is what a server says of itself that clients depend on and that no server replicates. Nothing in it is a secret: of the
// rules of a user there is only a hash.
type Parity struct {
	Settings map[string]string   // nil: not told
	Users    map[string][32]byte // by name; nil: not told
	Denied   []string            // what our user may not ask, in the server's words
}

// ParitySettings are the settings that are compared: each changes what a client gets, or whether its writes are taken.
func ParitySettings() []string {
	return []string{"notify-keyspace-events", "maxmemory", "maxmemory-policy", "maxclients", "databases", "proto-max-bulk-len",
		"busy-reply-threshold", minReplicasToWrite, "timeout"}
}

const (
	// minReplicasToWrite is the one setting that Holdfast itself changes, for a while.
	minReplicasToWrite = "min-replicas-to-write"
	// settingAtStart can only be changed by a restart.
	settingAtStart = "databases"
	// defaultUser is the user of all clients that do not name one; requirepass is its password.
	defaultUser = "default"
)

// Difference is one thing in which a replica is not like its master, or not known to be.
type Difference struct {
	Setting string // empty: not a matter of a setting
	Text    string // begins with a verb whose subject is the replica
}

const differsIn = "differs from the master in "

// Compare says in what a replica would serve clients otherwise than its master does.
func Compare(master, replica Parity) (all []Difference) {
	for _, text := range master.Denied {
		all = append(all, Difference{Text: "cannot be compared with the master, which refuses: " + text})
	}
	for _, text := range replica.Denied {
		all = append(all, Difference{Text: "cannot be compared with the master, because it refuses: " + text})
	}
	all = append(all, compareSettings(master.Settings, replica.Settings)...)
	if master.Users == nil || replica.Users == nil {
		return all
	}
	return append(all, compareUsers(master.Users, replica.Users)...)
}

// compareSettings leaves out what either of them does not have: servers differ in age.
func compareSettings(master, replica map[string]string) (all []Difference) {
	for _, name := range ParitySettings() {
		there, known := master[name]
		here, alsoKnown := replica[name]
		if !known || !alsoKnown || there == here {
			continue
		}
		advice := "set it with CONFIG SET and in redis.conf"
		if name == settingAtStart {
			advice = "set it in redis.conf and restart"
		}
		all = append(all, Difference{name, fmt.Sprintf("%s%s: '%s' there, '%s' here; %s", differsIn, name, there, here, advice)})
	}
	return all
}

// compareUsers counts users and names none but the one that all servers have.
func compareUsers(master, replica map[string][32]byte) (all []Difference) {
	var missing, other, more int
	for name, rules := range master {
		found, ok := replica[name]
		switch {
		case !ok:
			missing++
		case found == rules:
		case name == defaultUser:
			all = append(all, Difference{Text: differsIn + "the password (requirepass) or the rules of the default user; see ACL GETUSER default"})
		default:
			other++
		}
	}
	for name := range replica {
		if _, ok := master[name]; !ok {
			more++
		}
	}
	if missing+other+more == 0 {
		return all
	}
	return append(all, Difference{Text: fmt.Sprintf("%sACL users: %d missing here, %d with other passwords or rules, %d only here; "+
		"see ACL LIST", differsIn, missing, other, more)})
}

// ParseUsers hashes the lines of ACL LIST. The order of passwords only says when they were set; for that of rules see canonicalRules.
func ParseUsers(lines []string) map[string][32]byte {
	users := make(map[string][32]byte, len(lines))
	for _, line := range lines {
		fields := strings.Fields(line)
		if len(fields) < 2 || fields[0] != "user" {
			continue
		}
		users[fields[1]] = sha256.Sum256([]byte(strings.Join(canonicalRules(strings.Join(fields[2:], " ")), " ")))
	}
	return users
}

// canonicalRules are the rules of a user with those sorted whose order means nothing: between two categories of commands, and
// within a selector. Redis 7.0 lists single commands in an order that every process rolls anew.
func canonicalRules(text string) []string {
	rules := strings.Fields(strings.NewReplacer("(", " ( ", ")", " ) ").Replace(text))
	ordered := func(rule string) bool {
		return rule == "(" || rule == ")" || strings.HasPrefix(rule, "+@") || strings.HasPrefix(rule, "-@")
	}
	for start := 0; start < len(rules); start++ {
		end := start
		for end < len(rules) && !ordered(rules[end]) {
			end++
		}
		slices.Sort(rules[start:end])
		start = end
	}
	return rules
}
