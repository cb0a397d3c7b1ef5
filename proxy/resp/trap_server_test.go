package resp

import (
	"fmt"
	"io"
	"strings"
	"testing"
)

// serverTraps are pipelines whose replies a real server frames in a surprising way. before[i] is what Expect is told
// before frame i; want are the type bytes of all frames but that of the QUIT which ends each.
var serverTraps = []struct {
	name, send string
	before     map[int]int64
	want       string
}{
	{"trap 1", "MULTI\nCLIENT REPLY OFF\nSET k v\nEXEC\nCLIENT REPLY ON\nPING\n", map[int]int64{3: -2}, "+++*++"},
	{"trap 2", "MULTI\nCLIENT REPLY SKIP\nSET k v\nGET k\nEXEC\nPING\nECHO x\n", map[int]int64{4: -1}, "++++*$"},
	{"trap 3", "MULTI\nSUBSCRIBE a b c\nSET k v\nEXEC\nPING\n", map[int]int64{3: 2}, "+++**"},
	{"trap 3 in RESP3", "HELLO 3\nMULTI\nSUBSCRIBE a b c\nSET k v\nEXEC\nPING\n", map[int]int64{4: -1}, "%+++*+"},
	{"trap 4", "MULTI\nHELLO 3\nPING\nEXEC\nPING\nHELLO 2\n", nil, "+++*+*"},
	{"trap 5", "HELLO 3\nSUBSCRIBE ch\nMULTI\nPUBLISH ch x\nGET nokey\nEXEC\nPUBLISH ch y\nPING\n", nil, "%>+++*>:+"},
	{"trap 6", "HELLO 3\nCLIENT TRACKING ON\nGET k\nMULTI\nSET k 2\nEXEC\nPING\n", nil, "%+$++*>+"},
	{"trap 8", "MULTI\nBLPOP no 1\nEXEC\nHELLO 3\nBLMOVE no b LEFT LEFT 0.01\n", nil, "++*%_"},
	{"trap 9", "MULTI\nMONITOR\nWAIT 1 0\nEXEC\nPING\n", nil, "+++*+"},
	{"trap 10", "COMMAND DOCS\nHELLO 3\nCOMMAND DOCS\nINFO\nPING\n", nil, "*%%=+"},
}

func TestServerTraps(t *testing.T) {
	addr := realServer(t)
	for _, trap := range serverTraps {
		t.Run(trap.name, func(t *testing.T) {
			c := dialReal(t, addr)
			defer c.Close()
			send := "FLUSHALL\nSET k 1\n" + trap.send + "QUIT\n"
			if _, err := c.Write([]byte(send)); err != nil {
				t.Fatal(err)
			}
			p, err := io.ReadAll(c.in)
			if err != nil {
				t.Fatal(err)
			}
			p = p[2*len("+OK\r\n"):]
			events := func(t testing.TB, p []byte, next chunker) []event {
				var r Reply
				frame := 0
				r.Expect(trap.before[frame])
				return boundaries(t, &r, func() string {
					first := r.First()
					frame++
					if extra := trap.before[frame]; extra != 0 {
						r.Expect(extra)
					}
					return string(first)
				}, p, next)
			}
			var got strings.Builder
			end := 0
			for _, e := range sameHowever(t, events, p) {
				fmt.Fprint(&got, e.what)
				end = e.end
			}
			if got.String() != trap.want+"+" || end != len(p) {
				t.Errorf("got %s up to %d of %d, want %s+: %.300q", &got, end, len(p), trap.want, p)
			}
		})
	}
}
