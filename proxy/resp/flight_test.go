package resp

import "testing"

// A loop that has seen many large requests at once does not keep their memory.
func TestFlightsKeepBoundedMemory(t *testing.T) {
	var fl Flights
	conns := make([]Conv, 400)
	for range 3 {
		for i := range conns {
			conns[i].Take(&fl, Lookup([]byte("SET"), nil), make([]byte, 60<<10), 0)
		}
		for i := range conns {
			conns[i].pop(&fl)
		}
		sum := 0
		for _, f := range fl.free {
			sum += f.bytes()
		}
		if sum != fl.bytes || sum > flightsFreeBytesMax || sum < flightsFreeBytesMax/2 {
			t.Fatalf("got %d bytes in %d flights, counted %d, want at most %d and not much less", sum, len(fl.free), fl.bytes, flightsFreeBytesMax)
		}
	}
	for range fl.free {
		fl.take()
	}
	if fl.bytes != 0 {
		t.Errorf("empty: got %d bytes, want 0", fl.bytes)
	}
}

// Small requests of many connections all find a flight.
func TestFlightsServeManySmallRequests(t *testing.T) {
	var fl Flights
	conns := make([]Conv, flightsFreeMax)
	turn := func() {
		for i := range conns {
			conns[i].Take(&fl, Lookup([]byte("GET"), nil), []byte("*2\r\n$3\r\nGET\r\n$1\r\na\r\n"), 0)
		}
		for i := range conns {
			conns[i].pop(&fl)
		}
	}
	turn()
	if got := testing.AllocsPerRun(10, turn); got != 0 {
		t.Errorf("got %v allocations, want 0", got)
	}
}
