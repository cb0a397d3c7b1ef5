package bench

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
)

// Ports are taken below 32768, where Linux starts its ephemeral range: a server that was killed must find its port free
// again, and a client's outgoing connection could otherwise have been given the same number in between.
const (
	portFirst = 20000
	portLast  = 31999
	portTries = 200
)

// errNoPort is returned when no free port was found in portTries attempts.
var errNoPort = errors.New("find a free loopback port")

// freePort returns a loopback port nobody listens on at this moment.
func freePort() (int, error) {
	for range portTries {
		port := portFirst + rand.IntN(portLast-portFirst+1)
		ln, err := net.Listen("tcp", loopback(port))
		if err != nil {
			continue
		}
		if err := ln.Close(); err != nil {
			return 0, fmt.Errorf("release port %d: %w", port, err)
		}
		return port, nil
	}
	return 0, errNoPort
}

// loopback is the address of a port on this machine.
func loopback(port int) string {
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
}
