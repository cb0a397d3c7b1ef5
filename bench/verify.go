package bench

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// findingsMax is how many findings a verification quotes.
const findingsMax = 20

// Verification is what the final master's data say about the promises made to the clients. All but Checked and
// Applied must be zero.
type Verification struct {
	Checked    int // ids and counts compared
	Applied    int // writes of unknown outcome that turned out to have been executed
	Lost       int // acknowledged, and absent
	Duplicates int // executed more than once
	Phantoms   int // refused, and present all the same; or never written by anybody
	Disorder   int // executed in another order than sent, or a pipeline with a hole
	Torn       int // transactions of which only a part is there
	Stray      int // keys in a database that their client never selected
	Findings   []string
}

// Clean reports whether the data kept every promise.
func (v Verification) Clean() bool {
	return v.Lost+v.Duplicates+v.Phantoms+v.Disorder+v.Torn+v.Stray == 0
}

func (v *Verification) find(n int, count *int, format string, args ...any) {
	if n <= 0 {
		return
	}
	*count += n
	if len(v.Findings) < findingsMax {
		v.Findings = append(v.Findings, fmt.Sprintf(format, args...))
	}
}

// Verify reads the data of all clients directly from a server and compares them with what the clients remember. The load
// must have ended.
func (l *Load) Verify(ctx context.Context, master *Server) (Verification, error) {
	var v Verification
	c, err := dial(ctx, master.Address())
	if err != nil {
		return v, err
	}
	defer c.Close()
	err = errors.Join(l.verifyClients(c, &v), l.verifyPlaces(c, &v))
	if err != nil {
		return v, fmt.Errorf("verify %s: %w", master.Address(), err)
	}
	return v, nil
}

// verifyClients compares the keys of every client with what it remembers.
func (l *Load) verifyClients(from *conn, v *Verification) error {
	var errs []error
	for _, cl := range l.clients {
		if _, err := from.must("SELECT", strconv.Itoa(cl.db)); err != nil {
			return err
		}
		errs = append(errs, cl.verify(from, v))
	}
	return errors.Join(errs...)
}

// verify compares the keys of one client.
func (c *client) verify(from *conn, v *Verification) error {
	list, err := ids(from.must("LRANGE", c.key("list"), "0", "-1"))
	if err != nil {
		return err
	}
	set, err := ids(from.must("SMEMBERS", c.key("set")))
	if err != nil {
		return err
	}
	tx, err := ids(from.must("LRANGE", c.key("txlist"), "0", "-1"))
	if err != nil {
		return err
	}
	present := c.compare(v, c.key("list"), &c.list, list)
	c.compare(v, c.key("set"), &c.set, set)
	c.compare(v, c.key("txlist"), &c.tx, tx)
	v.ordered(c.key("list"), list)
	v.ordered(c.key("txlist"), tx)
	for _, p := range c.pipelines {
		v.prefix(c.key("list"), present[p.from:p.to])
	}
	if err := c.verifyCounts(from, v, len(tx)); err != nil {
		return err
	}
	return c.verifyRegisters(from, v)
}

// compare checks a collection of unique ids and returns which of them are present.
func (c *client) compare(v *Verification, key string, l *ledger, have []int) []bool {
	times := make([]int, len(l.outcomes))
	present := make([]bool, len(l.outcomes))
	for _, id := range have {
		if id < 0 || id >= len(times) {
			v.find(1, &v.Phantoms, "%s holds id %d, which was never written", key, id)
			continue
		}
		times[id]++
		present[id] = true
	}
	for id, o := range l.outcomes {
		v.Checked++
		switch {
		case o == OK && times[id] == 0:
			v.find(1, &v.Lost, "%s: id %d was acknowledged and is lost", key, id)
			c.load.tally.lost(l.acked[id])
		case o == Fail && times[id] > 0:
			v.find(1, &v.Phantoms, "%s: id %d was refused and is there", key, id)
		case o == Unknown && times[id] > 0:
			v.Applied++
		}
		v.find(times[id]-1, &v.Duplicates, "%s: id %d was executed %d times", key, id, times[id])
	}
	return present
}

// ordered checks that ids grow, as their only writer sent them.
func (v *Verification) ordered(key string, have []int) {
	for i := 1; i < len(have); i++ {
		if have[i] < have[i-1] {
			v.find(1, &v.Disorder, "%s: id %d comes after %d", key, have[i], have[i-1])
		}
	}
}

// prefix checks that nothing behind a hole of a pipeline was executed.
func (v *Verification) prefix(key string, present []bool) {
	hole := false
	for _, there := range present {
		if there && hole {
			v.find(1, &v.Disorder, "%s: a later command of a pipeline was executed, an earlier one was not", key)
			return
		}
		hole = hole || !there
	}
}

// verifyCounts checks the counter, and that each transaction is there as a whole.
func (c *client) verifyCounts(from *conn, v *Verification, transactions int) error {
	ctr, err := number(from.must("GET", c.key("ctr")))
	if err != nil {
		return err
	}
	acked, unknown := c.incrs.count(OK), c.incrs.count(Unknown)
	v.Checked += len(c.incrs.outcomes)
	v.find(acked-ctr, &v.Lost, "%s is %d, %d were acknowledged", c.key("ctr"), ctr, acked)
	for i := range min(acked-ctr-c.incr.gone, len(c.incr.acked)) { // the others were noted when they were noticed
		c.load.tally.lost(c.incr.acked[len(c.incr.acked)-1-i])
	}
	v.find(ctr-acked-unknown, &v.Duplicates, "%s is %d, at most %d were sent", c.key("ctr"), ctr, acked+unknown)
	v.Applied += max(0, min(ctr-acked, unknown))
	txctr, err := number(from.must("GET", c.key("txctr")))
	if err != nil {
		return err
	}
	v.find(max(txctr-transactions, transactions-txctr), &v.Torn, "%s is %d beside %d list entries", c.key("txctr"), txctr, transactions)
	return nil
}

// verifyRegisters checks the overwritten keys by the rule that reads obey.
func (c *client) verifyRegisters(from *conn, v *Verification) error {
	for reg := range c.regs {
		rep, err := from.must("GET", c.regKey(reg))
		if err != nil {
			return err
		}
		v.Checked++
		if f := c.holds(reg, rep); f.why != "" {
			v.find(1, &v.Lost, "%s: %s", c.regKey(reg), f.why)
			c.load.tally.lost(f.since)
		}
	}
	return nil
}

// verifyPlaces looks through all databases for keys that lie where their client never was.
func (l *Load) verifyPlaces(from *conn, v *Verification) error {
	for db := range l.opts.Databases + 1 {
		if _, err := from.must("SELECT", strconv.Itoa(db)); err != nil {
			return err
		}
		rep, err := from.must("KEYS", l.opts.Prefix+":*")
		if err != nil {
			return err
		}
		for _, item := range rep.items {
			owner, err := strconv.Atoi(item.text[strings.LastIndexByte(item.text, ':')+1:])
			if err != nil || owner >= len(l.clients) || l.clients[owner].db != db {
				v.find(1, &v.Stray, "key %s lies in database %d", item.text, db)
			}
		}
	}
	return nil
}

// ids reads a collection of numbers; what is no number is -1 and found as a phantom.
func ids(rep reply, err error) ([]int, error) {
	if err != nil {
		return nil, err
	}
	list := make([]int, 0, len(rep.items))
	for _, item := range rep.items {
		id, err := strconv.Atoi(item.text)
		if err != nil {
			id = -1
		}
		list = append(list, id)
	}
	return list, nil
}

// number reads a counter; a key that does not exist is 0.
func number(rep reply, err error) (int, error) {
	if err != nil || rep.null {
		return 0, err
	}
	n, err := strconv.Atoi(rep.text)
	if err != nil {
		return 0, fmt.Errorf("read counter: %w", err)
	}
	return n, nil
}
