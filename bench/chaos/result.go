package chaos

import "time"

// Result is what one cycle showed.
type Result struct {
	Cycle          string         `json:"cycle"`
	Fault          string         `json:"fault"`
	Seed           uint64         `json:"seed"`
	Held           bool           `json:"held"`
	Seconds        float64        `json:"seconds"`
	Promotions     int            `json:"promotions"`
	Adoptions      int            `json:"adoptions"`
	Gap            time.Duration  `json:"gap_ns"`
	Noise          time.Duration  `json:"noise_ns"` // how late the machine let a waiting goroutine run
	OK             int            `json:"ok"`
	Unknown        int            `json:"unknown"`
	Applied        int            `json:"unknown_applied"`
	Fail           int            `json:"fail"`
	Hung           int            `json:"hung"`
	Errors         map[string]int `json:"errors,omitempty"`
	Disconnects    int            `json:"disconnects"`
	Closed         map[string]int `json:"closed,omitempty"`
	AtRisk         int            `json:"at_risk"`
	BytesLost      int64          `json:"bytes_lost"`
	CutUnknown     int            `json:"cut_unknown"`
	Unreceipted    int            `json:"unknown_without_receipt,omitempty"`
	LostReported   int            `json:"lost_reported"`
	LostUnreported int            `json:"lost_unreported"`
	LostUncounted  int            `json:"lost_uncounted,omitempty"` // nobody could know: see judgeLoss
	Duplicates     int            `json:"duplicates"`
	Phantoms       int            `json:"phantoms"`
	Zombies        int            `json:"zombies"`
	DirtyReads     int            `json:"dirty_reads,omitempty"`
	Undecided      int            `json:"undecided,omitempty"`
	JobsEaten      int            `json:"jobs_eaten,omitempty"` // popped for a reply that got lost
	MessageGaps    int            `json:"message_gaps,omitempty"`
	Checked        int            `json:"ops_checked"`
	Verdicts       []Verdict      `json:"verdicts,omitempty"`
	Receipts       []string       `json:"receipts,omitempty"`
	Notes          []string       `json:"notes,omitempty"`
	Log            string         `json:"log,omitempty"`
}

// fill takes over what the judge and the clients counted.
func (r *Result) fill(j *judge, n counts) {
	r.OK, r.Unknown, r.Fail, r.Hung = n.OK, n.Unknown, n.Fail, n.Hung
	r.Errors, r.Disconnects, r.Notes = n.Errors, n.Disconnects, append(r.Notes, n.notes...)
	r.Applied, r.Duplicates, r.Phantoms = j.applied, j.duplicates, j.phantoms
	r.Zombies = j.verdicts[I7].Broken
	r.DirtyReads, r.Undecided, r.MessageGaps, r.Checked = j.dirty, j.undecided, j.gaps, j.ops
	r.JobsEaten = j.eaten
	r.Verdicts = j.verdicts.list()
	r.Held = j.verdicts.held()
}
