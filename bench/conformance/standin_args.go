package conformance

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// serverArgs is a command line of redis-server, with the configuration on its stdin folded in.
type serverArgs struct {
	port     int
	tls      bool
	version  bool
	user     string // who may do everything, when the default user may not
	password string
	rest     []string // what the real server gets beside port, address and directory
	all      []string // the whole, as the server would have got it
}

// parseServerArgs understands what the suites use: --key value..., "-" for a configuration on stdin, and --version.
func parseServerArgs(args []string, stdin io.Reader) (s serverArgs, err error) {
	s.port = 6379
	var directives [][]string
	for _, arg := range args {
		switch {
		case arg == "--version" || arg == "-v":
			s.version = true
			s.all = args
			return s, nil
		case arg == "-":
			lines, err := readDirectives(stdin)
			if err != nil {
				return s, err
			}
			directives = append(directives, lines...)
		case strings.HasPrefix(arg, "--"):
			directives = append(directives, []string{strings.TrimPrefix(arg, "--")})
		case len(directives) == 0:
			return s, fmt.Errorf("read arguments of redis-server: %q has no key", arg)
		default:
			last := len(directives) - 1
			directives[last] = append(directives[last], arg)
		}
	}
	for _, d := range directives {
		if err := s.add(d); err != nil {
			return s, err
		}
	}
	return s, nil
}

func readDirectives(stdin io.Reader) (all [][]string, err error) {
	lines := bufio.NewScanner(stdin)
	for lines.Scan() {
		if words := strings.Fields(lines.Text()); len(words) > 0 {
			all = append(all, words)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read configuration on stdin: %w", err)
	}
	return all, nil
}

func (s *serverArgs) add(words []string) (err error) {
	args := append([]string{"--" + words[0]}, words[1:]...)
	s.all = append(s.all, args...)
	switch words[0] {
	case "port":
		if s.port, err = strconv.Atoi(words[len(words)-1]); err != nil {
			return fmt.Errorf("read port of redis-server: %w", err)
		}
		return nil
	case "bind", "dir":
		return nil // the rig's own
	case "tls-port":
		s.tls = true
	case "requirepass":
		s.password = words[len(words)-1]
	case "user":
		s.addUser(words[1:])
	}
	s.rest = append(s.rest, args...)
	return nil
}

// addUser remembers the first user with all commands and a password.
func (s *serverArgs) addUser(rule []string) {
	if s.user != "" || len(rule) == 0 || !slices.Contains(rule, "+@all") {
		return
	}
	for _, word := range rule[1:] {
		if password, ok := strings.CutPrefix(word, ">"); ok {
			s.user, s.password = rule[0], password
		}
	}
}
