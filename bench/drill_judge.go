package bench

import (
	"fmt"
	"time"
)

// judge turns the numbers of a drill into promises that were held or not.
func (s *scene) judge(p plan) {
	r := &s.report
	n, v := r.Counts, r.Verification
	if p.errors == errorsRestart {
		most := int64(r.ClientsBefore) * restarts
		r.promise(n.Disconnects <= most, "connections break only with the proxy itself", "%d disconnects", n.Disconnects)
	} else {
		r.promise(n.Disconnects == 0 && r.ClientsAfter == r.ClientsBefore, "every client stays connected",
			"%d of %d, %d disconnects", r.ClientsAfter, r.ClientsBefore, n.Disconnects)
	}
	r.judgeLoss(n, v, r.LossAge, r.AtRisk)
	r.promise(v.Duplicates == 0, "nothing runs twice", "%d duplicates", v.Duplicates)
	r.promise(v.Phantoms+v.Disorder+v.Torn+v.Stray == 0, "what was refused did not happen, order and databases are kept",
		"%d phantoms, %d out of order, %d torn, %d stray", v.Phantoms, v.Disorder, v.Torn, v.Stray)
	r.promise(n.Wrong == 0, "no reply belongs to another request, session or history", "%d wrong", n.Wrong)
	r.promise(n.Hung == 0, "no request stays unanswered", "%d hung", n.Hung)
	if p.gapMax > 0 {
		r.promise(r.Gap <= p.gapMax, gapPromise+ms(p.gapMax), "%s, on a machine that itself paused for %s", ms(r.Gap), ms(r.Noise))
	}
	if p.promotions >= 0 {
		r.promise(r.Promotions == p.promotions, "as many promotions as there must be", "%d, want %d", r.Promotions, p.promotions)
	}
	s.judgeErrors(p)
}

// gapPromise begins the one promise that a busy machine can break by itself.
const gapPromise = "longest gap without any success at most "

// lossPromise is what asynchronous replication can keep: nothing is lost in silence.
const lossPromise = "no acknowledged write is lost beyond those that the receipts declare at risk"

// judgeLoss compares what is gone with what the receipts said could be. Redis answers the clients of one turn of its event
// loop one after the other, most of them before it feeds its replicas: a process that is stopped within a turn has lost
// those writes, whoever its clients are and whatever is promoted. The proxy knows which acknowledgements came out of that
// turn, so their number is a bound that must hold every time, and it is 0 for a planned switchover.
func (r *Report) judgeLoss(n Counts, v Verification, age time.Duration, atRisk int) {
	got := fmt.Sprintf("%d of %d lost, %d at risk", v.Lost, v.Checked, atRisk)
	lost := v.Lost+int(n.Stale) > 0
	if lost {
		got += fmt.Sprintf(", %d stale replies, acknowledged at most %s before the fault", n.Stale, ms(age))
	}
	r.promise(v.Checked > 0 && (!lost || v.Lost <= atRisk && atRisk > 0), lossPromise, "%s", got)
}

// judgeErrors applies the rule of the fault to the errors that clients saw.
func (s *scene) judgeErrors(p plan) {
	r := &s.report
	n := r.Counts
	switch p.errors {
	case errorsNone:
		r.promise(n.Fail+n.Unknown == 0, "no error at all", "%s", r.errorText())
	case errorsInFlight:
		r.promise(onlyDocumented(n.Errors), "only documented errors", "%s", r.errorText())
		r.promise(n.ReadsFailed == 0, "no read fails", "%d failed", n.ReadsFailed)
		most := int64(max(1, p.promotions))
		r.promise(r.ErrorOpsMax <= most, "errors only for what was in flight", "at most %d operations of a client", r.ErrorOpsMax)
		s.judgeReceipt(p)
	case errorsHeldLong:
		r.promise(n.Errors["TRYAGAIN"] >= r.ClientsBefore, "past max_wait each held request is refused with TRYAGAIN", "%s", r.errorText())
		r.promise(onlyDocumented(n.Errors) && n.Unknown == 0, "what was held did not happen", "%d unknown", n.Unknown)
	case errorsRestart:
		r.promise(onlyDocumented(n.Errors), "only documented errors", "%s", r.errorText())
	}
}

// judgeReceipt compares what the daemon says was lost and cut with what the clients saw. Only a single promotion can be
// compared: the status shows the last receipt alone.
func (s *scene) judgeReceipt(p plan) {
	r := &s.report
	if p.promotions != 1 || p.strangers {
		return
	}
	if r.Receipt == nil || r.Promotions != 1 {
		r.promise(false, "the promotion leaves a receipt", "%d promotions", r.Promotions)
		return
	}
	seen := r.Counts.Errors[unknownClass]
	r.promise(r.Receipt.Cut["unknown"] == seen, "the receipt counts every request of unknown outcome", "%d, clients saw %d",
		r.Receipt.Cut["unknown"], seen)
	r.promise(r.Receipt.Clients == r.ClientsBefore, "the receipt counts every client", "%d of %d", r.Receipt.Clients, r.ClientsBefore)
}

func onlyDocumented(classes map[string]int) bool {
	for class := range classes {
		if !documented(class) {
			return false
		}
	}
	return true
}
