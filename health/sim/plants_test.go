package sim

import "testing"

// livesToFind is within how many lives a planted bug must be found; all are found within ten or so. soundLives is how many of
// the same lives must pass when nothing is planted.
const livesToFind, soundLives = 120, 10

// TestPlantedBugsAreFound plants each bug in the world around the core, and none, in the same lives.
func TestPlantedBugsAreFound(t *testing.T) {
	for p := PlantNone; p < plants; p++ {
		t.Run(p.String(), func(t *testing.T) {
			t.Parallel()
			if p == PlantNone {
				if r := firstBroken(t, p, soundLives); len(r.Faults) > 0 {
					t.Errorf("without a bug life %d breaks %s", r.Seed, r.Faults[0])
				}
				return
			}
			r := firstBroken(t, p, livesToFind)
			if len(r.Faults) == 0 {
				t.Fatalf("not found within %d lives", livesToFind)
			}
			t.Logf("found in life %d, after %d failovers: %s", r.Seed, r.Failovers, r.Faults[0])
		})
	}
}

// firstBroken lives from seed 1 on until an invariant breaks.
func firstBroken(t *testing.T, p Plant, lives uint64) (r Result) {
	t.Helper()
	for seed := uint64(1); seed <= lives && len(r.Faults) == 0; seed++ {
		var err error
		o := Options{Plant: p}
		if p == PlantRoleAlone {
			// It takes a new client within the 100 microseconds in which a reborn master is not known yet.
			o.Fault = "back at once"
		}
		if r, err = Run(seed, o); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// TestLivesRepeat: a seed is all that a life depends on.
func TestLivesRepeat(t *testing.T) {
	for seed := uint64(1); seed <= 2; seed++ {
		a, errA := Run(seed, Options{Faults: 4, Trace: true})
		b, errB := Run(seed, Options{Faults: 4, Trace: true})
		if errA != nil || errB != nil {
			t.Fatal(errA, errB)
		}
		if len(a.Trace) == 0 || len(a.Trace) != len(b.Trace) {
			t.Fatalf("seed %d: got traces of %d and %d lines", seed, len(a.Trace), len(b.Trace))
		}
		for i := range a.Trace {
			if a.Trace[i] != b.Trace[i] {
				t.Fatalf("seed %d: got different lives:\n%s\n%s", seed, a.Trace[i], b.Trace[i])
			}
		}
	}
}
