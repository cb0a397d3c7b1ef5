package chaos

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// errNoSocket is returned when the kernel's table does not have a connection.
var errNoSocket = errors.New("no such connection")

// sendQueue is how many bytes of a connection the other side has not confirmed, from the kernel's table of sockets. A port at each
// end is enough to tell it: the hosts are one, or alone in their namespace.
func sendQueue(table, from, to string) (uint64, error) {
	for line := range strings.Lines(table) {
		fields := strings.Fields(line) // number, local, remote, state, sent:received
		if len(fields) < 5 || !samePort(fields[1], from) || !samePort(fields[2], to) {
			continue
		}
		sent, _, _ := strings.Cut(fields[4], ":")
		return strconv.ParseUint(sent, 16, 64)
	}
	return 0, fmt.Errorf("find the socket from %s to %s: %w", from, to, errNoSocket)
}

// samePort compares an address of the table, in hexadecimal digits, with one as people write it.
func samePort(entry, address string) bool {
	_, digits, _ := strings.Cut(entry, ":")
	port, err := strconv.ParseUint(digits, 16, 16)
	return err == nil && strings.HasSuffix(address, ":"+strconv.FormatUint(port, 10))
}
