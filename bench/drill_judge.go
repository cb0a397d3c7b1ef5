package bench

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
	r.promise(v.Checked > 0 && v.Lost == 0, "no acknowledged write is lost", "%d of %d", v.Lost, v.Checked)
	r.promise(v.Duplicates == 0, "nothing runs twice", "%d duplicates", v.Duplicates)
	r.promise(v.Phantoms+v.Disorder+v.Torn+v.Stray == 0, "what was refused did not happen, order and databases are kept",
		"%d phantoms, %d out of order, %d torn, %d stray", v.Phantoms, v.Disorder, v.Torn, v.Stray)
	r.promise(n.Wrong == 0, "no reply belongs to another request, session or history", "%d wrong", n.Wrong)
	r.promise(n.Hung == 0, "no request stays unanswered", "%d hung", n.Hung)
	if p.gapMax > 0 {
		r.promise(r.Gap <= p.gapMax, "longest gap without any success at most "+ms(p.gapMax), "%s", ms(r.Gap))
	}
	if p.promotions >= 0 {
		r.promise(r.Promotions == p.promotions, "as many promotions as there must be", "%d, want %d", r.Promotions, p.promotions)
	}
	s.judgeErrors(p)
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
	case errorsHeldLong:
		refused := n.Errors["TRYAGAIN"]
		r.promise(len(n.Errors) <= 1 && refused >= r.ClientsBefore, "past max_wait each held request is refused with TRYAGAIN",
			"%s", r.errorText())
	case errorsRestart:
		r.promise(onlyDocumented(n.Errors), "only documented errors", "%s", r.errorText())
	}
}

func onlyDocumented(classes map[string]int) bool {
	for class := range classes {
		if !documented(class) {
			return false
		}
	}
	return true
}
