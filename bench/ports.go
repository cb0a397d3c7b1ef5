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
	ports, err := freePorts(1)
	if err != nil {
		return 0, err
	}
	return ports[0], nil
}

// freePorts returns n different ones: each is kept until the last is found.
func freePorts(n int) (ports []int, err error) {
	for tries := 0; len(ports) < n; tries++ {
		if tries == portTries {
			return nil, errNoPort
		}
		port := portFirst + rand.IntN(portLast-portFirst+1)
		ln, listenErr := net.Listen("tcp", loopback(port))
		if listenErr != nil {
			continue
		}
		defer func() {
			if closeErr := ln.Close(); closeErr != nil && err == nil {
				err = fmt.Errorf("release port %d: %w", port, closeErr)
			}
		}()
		ports = append(ports, port)
	}
	return ports, nil
}

// loopback is the address of a port on this machine.
func loopback(port int) string {
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
}
