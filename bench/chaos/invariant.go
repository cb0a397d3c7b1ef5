package chaos

import "fmt"

// Invariant names one thing that must hold in every cycle. The numbers are those of the correctness model.
type Invariant uint8

// The invariants that apply to one proxy.
const (
	I1  Invariant = 1 + iota // one reply for each request, in order, to the right client
	I2                       // no corrupt bytes
	I3                       // nothing runs twice
	I4                       // what was refused did not happen
	I5                       // no acknowledged write is lost beyond what the receipts declare; registers are linearizable
	I6                       // one master in each epoch
	I7                       // nothing of a replaced master reaches a client
	I8                       // never a node of other data
	I9                       // whoever is promoted has the most data
	I10                      // no promotion without need
	I11                      // service again within the bound of the fault
	I12                      // sessions are preserved
	I13                      // WATCH is truthful
	I14                      // transactions are whole
	I15                      // WAIT is truthful
	I16                      // caches that follow invalidations are never stale
	I17                      // published messages stay in order, gaps only inside the fault
	I18                      // a job is delivered once
	I19                      // everything converges
	I20                      // every client is served
	I21                      // resources return to the base line
	I22                      // nothing happens in silence
	I23                      // what is executed of a pipeline is a prefix
	I24                      // epochs never go back
	invariantEnd
)

var invariantTexts = [invariantEnd]string{
	I1: "one reply per request, in order", I2: "no corrupt bytes", I3: "no duplicate execution", I4: "refused means not executed",
	I5: "no unreported loss, linearizable registers", I6: "one master per epoch", I7: "no zombie bytes", I8: "identity fence",
	I9: "best node promoted", I10: "no needless promotion", I11: "served within the bound", I12: "session preserved",
	I13: "WATCH safety", I14: "EXEC atomicity", I15: "WAIT honesty", I16: "tracking coherence", I17: "pub/sub order",
	I18: "jobs delivered once", I19: "convergence", I20: "liveness", I21: "bounded resources", I22: "no silent state",
	I23: "pipeline prefix", I24: "monotonic epochs",
}

// String is the short name.
func (i Invariant) String() string { return fmt.Sprintf("I%d", i) }

// Text says what must hold.
func (i Invariant) Text() string { return invariantTexts[i] }

// Verdict is what the checkers of one invariant found.
type Verdict struct {
	Invariant string   `json:"invariant"`
	Text      string   `json:"text"`
	Checked   int      `json:"checked"` // observations
	Broken    int      `json:"broken"`
	Findings  []string `json:"findings,omitempty"` // the first ones
}

// findingsMax is how many findings of one invariant a cycle quotes: enough to see the pattern.
const findingsMax = 8

// verdicts has one verdict for each invariant.
type verdicts [invariantEnd]Verdict

// checked counts n observations.
func (v *verdicts) checked(i Invariant, n int) { v[i].Checked += n }

// broken notes a violation.
func (v *verdicts) broken(i Invariant, format string, args ...any) {
	v[i].Broken++
	if len(v[i].Findings) < findingsMax {
		v[i].Findings = append(v[i].Findings, fmt.Sprintf(format, args...))
	}
}

// addNamed sums up one verdict by its name.
func (v *verdicts) addNamed(d Verdict) {
	for i := I1; i < invariantEnd; i++ {
		if i.String() == d.Invariant {
			var one verdicts
			one[i] = d
			v.add(&one)
		}
	}
}

// add sums up another set of verdicts.
func (v *verdicts) add(o *verdicts) {
	for i := range v {
		v[i].Checked += o[i].Checked
		v[i].Broken += o[i].Broken
		for _, f := range o[i].Findings {
			if len(v[i].Findings) < findingsMax {
				v[i].Findings = append(v[i].Findings, f)
			}
		}
	}
}

// list is the verdicts that have something to say, named.
func (v *verdicts) list() (all []Verdict) {
	for i := I1; i < invariantEnd; i++ {
		if d := v[i]; d.Checked > 0 || d.Broken > 0 {
			d.Invariant, d.Text = i.String(), i.Text()
			all = append(all, d)
		}
	}
	return all
}

// held reports whether nothing was broken.
func (v *verdicts) held() bool {
	for _, d := range v {
		if d.Broken > 0 {
			return false
		}
	}
	return true
}
