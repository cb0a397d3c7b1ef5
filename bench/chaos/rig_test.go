package chaos

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

func TestSigkillCycles(t *testing.T) {
	o := Options{Binary: os.Getenv("HOLDFAST_BIN"), workloads: workloads()}
	o.Binary, _ = filepath.Abs(o.Binary)
	for _, net := range []bool{false, true} {
		r, err := newRig(t.Context(), flavour{nodes: 2, network: net}, o, 1)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 10 {
			res, err := r.run(t.Context(), faults()[i%2], fmt.Sprintf("1-%d", i), uint64(i))
			if err != nil {
				t.Error(err)
			}
			for _, v := range res.Verdicts {
				if v.Broken > 0 {
					data, _ := json.Marshal(v)
					t.Logf("%s", data)
				}
			}
			t.Logf("%s %v %.2fs gap %s", res.Fault, res.Held, res.Seconds, res.Gap)
		}
		if err := r.close(); err != nil {
			t.Error(err)
		}
	}
}
