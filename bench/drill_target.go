package bench

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// Deployment is somebody's running Holdfast with one of its pools. The user of the drill implements it, as only he knows how to
// reach its admin API.
type Deployment interface {
	// Order moves the mastership and returns the receipt when that is done.
	Order(ctx context.Context) (Receipt, error)
}

// TargetOptions say which deployment is drilled, and how hard.
type TargetOptions struct {
	Deployment Deployment
	Order      string // its name, for the report
	Planned    bool   // the order promises that nobody sees an error
	Address    string // where the pool listens
	Username   string
	Password   string
	Clients    int
	Seed       uint64
}

// targetPrefix begins every key that a drill writes into a deployment.
const targetPrefix = "holdfast:bench:drill:"

// DrillTarget moves the master of a deployment under verified load, looks for every acknowledged write afterwards, and removes
// its keys. It starts nothing and kills nothing. The data are read through the pool itself, as its clients do.
func DrillTarget(ctx context.Context, o TargetOptions) (r Report, err error) {
	if o.Seed == 0 {
		o.Seed = uint64(time.Now().UnixNano())
	}
	s := &scene{load: NewLoad(LoadOptions{
		Address: o.Address, Clients: o.Clients, Databases: 1, Username: o.Username, Password: o.Password, Seed: o.Seed,
		Prefix: targetPrefix + strconv.FormatUint(o.Seed, 36), HungAfter: drillHungAfter,
	})}
	s.report = Report{Drill: o.Order, Fault: fmt.Sprintf("%s of the pool at %s", o.Order, o.Address), Seed: o.Seed}
	reader, err := s.load.open(ctx)
	if err != nil {
		return s.report, fmt.Errorf("drill %s: %w", o.Address, err)
	}
	defer func() { err = errors.Join(err, s.load.remove(reader), reader.Close()) }()
	if err := s.moveTarget(ctx, o); err != nil {
		return s.report, fmt.Errorf("drill %s: %w", o.Address, err)
	}
	err = s.load.verifyClients(reader, &s.report.Verification)
	s.report.promise(err == nil, "the data can be verified", "%s", orYes(err))
	s.report.LossAge = s.load.tally.lossAge()
	rule := errorsInFlight
	if o.Planned {
		rule = errorsNone
	}
	// Other clients are on the pool too, so its receipt cannot be compared with what ours saw.
	s.judge(plan{errors: rule, promotions: -1})
	return s.report, nil
}

// moveTarget loads the pool, gives the order, and returns when our clients are served again and have ended.
func (s *scene) moveTarget(ctx context.Context, o TargetOptions) error {
	loadCtx, cancel := context.WithCancel(ctx)
	s.loadEnd, s.loadDone = cancel, make(chan struct{})
	go s.runLoad(loadCtx) // stopLoad waits for it
	defer s.stopLoad()
	if err := s.load.WaitServed(ctx, warmUp, servedMax); err != nil {
		return fmt.Errorf("warm up: %w", err)
	}
	before := s.load.connections()
	s.report.ClientsBefore = s.load.kept(before)
	s.load.Mark()
	s.load.tally.fault()
	receipt, err := o.Deployment.Order(ctx)
	if err != nil {
		return err
	}
	s.report.Receipt, s.report.AtRisk, s.report.Promotions = &receipt, receipt.AtRisk, 1
	err = s.load.WaitServed(ctx, proof, servedMax)
	s.report.promise(err == nil, "all clients are served again", "%s", orYes(err))
	s.report.ClientsAfter = s.load.kept(before)
	s.report.Gap, s.report.Stall = s.load.tally.gap(), time.Duration(s.load.tally.stallMax.Load())
	s.report.Noise = time.Duration(s.load.tally.noiseMax.Load())
	return nil
}

// open connects and logs in as the clients of the load do.
func (l *Load) open(ctx context.Context) (*conn, error) {
	raw, err := l.opts.Dial(ctx)
	if err != nil {
		return nil, err
	}
	c := newConn(raw)
	words := []string{"PING"}
	switch {
	case l.opts.Username != "":
		words = []string{"AUTH", l.opts.Username, l.opts.Password}
	case l.opts.Password != "":
		words = []string{"AUTH", l.opts.Password}
	}
	if _, err := c.must(words...); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// remove removes every key of the load.
func (l *Load) remove(c *conn) error {
	var errs []error
	for _, cl := range l.clients {
		names := []string{"UNLINK"}
		for _, kind := range []string{"list", "set", "txlist", "ctr", "txctr", "mark"} {
			names = append(names, cl.key(kind))
		}
		for reg := range cl.regs {
			names = append(names, cl.regKey(reg))
		}
		_, err := c.must("SELECT", strconv.Itoa(cl.db))
		if err == nil {
			_, err = c.must(names...)
		}
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("remove the keys %s*: %w", l.opts.Prefix, err)
	}
	return nil
}
