package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"holdfast/admin"
	"holdfast/bench"
)

// consentFlag is long on purpose: nobody types it by mistake.
const consentFlag = "i-understand-this-moves-the-master"

// targetFlags name a deployment that is drilled.
type targetFlags struct {
	address, pool, order, user, passwordFile string
	acceptLoss, consent                      bool
}

func (f *targetFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.address, "target", "", "drill a running deployment: HOST:PORT where its pool listens; needs --pool and consent")
	flags.StringVar(&f.pool, "pool", "", "with --target: the pool, at the daemon that --server names")
	flags.StringVar(&f.order, "order", "switchover", "with --target: switchover or failover")
	flags.BoolVar(&f.acceptLoss, "accept-loss", false, "with --order failover: promote even if acknowledged writes are lost by it")
	flags.StringVar(&f.user, "user", "", "with --target: ACL user")
	flags.StringVar(&f.passwordFile, "password-file", "", "with --target: file with the password")
	flags.BoolVar(&f.consent, consentFlag, false, "with --target: consent; clients of the pool are held for a moment, "+
		"and a failover may answer their writes in flight with errors")
}

// check tells what is missing before anything is touched.
func (f *targetFlags) check(names []string) error {
	switch {
	case len(names) > 0:
		return usagef("--target and the names of drills exclude each other: a deployment is only given orders, nothing of it is killed")
	case f.pool == "":
		return usagef("--target %s: --pool is missing", f.address)
	case f.order != "switchover" && f.order != "failover":
		return usagef("--order %q: want switchover or failover", f.order)
	case !f.consent:
		return usagef("this orders a %s of pool %s and writes keys that begin with holdfast:bench:drill: into its database 1; "+
			"if that is what you want, add --%s", f.order, f.pool, consentFlag)
	}
	return nil
}

// deployment gives the order through the admin API.
type deployment struct {
	client *client
	flags  *targetFlags
}

// Order gives the order and returns its receipt.
func (d deployment) Order(ctx context.Context) (receipt bench.Receipt, err error) {
	var body any = struct{}{}
	if d.flags.order == "failover" {
		body = admin.FailoverOrder{AcceptLoss: d.flags.acceptLoss}
	}
	raw, err := d.client.order(ctx, d.flags.pool, d.flags.order, body, &admin.Receipt{})
	if err != nil {
		return receipt, err
	}
	if err := json.Unmarshal(raw, &receipt); err != nil {
		return receipt, fmt.Errorf("read receipt: %w", err)
	}
	return receipt, nil
}

// drillTarget drills a deployment count times. Every report goes to stderr as it comes, a line of sums to stdout.
func (c *cli) drillTarget(cmd *cobra.Command, f *targetFlags, names []string, clients, count int) error {
	if err := f.check(names); err != nil {
		return err
	}
	cl, err := c.link.client()
	if err != nil {
		return err
	}
	defer cl.close()
	o := bench.TargetOptions{
		Deployment: deployment{cl, f}, Order: f.order, Planned: f.order == "switchover", Address: f.address, Username: f.user, Clients: clients,
	}
	if f.passwordFile != "" {
		data, err := os.ReadFile(f.passwordFile)
		if err != nil {
			return usagef("--password-file: %w", err)
		}
		o.Password = strings.TrimRight(string(data), "\r\n")
	}
	s, err := bench.RunTarget(cmd.Context(), o, count, func(r *bench.Report) { fmt.Fprint(c.stderr, r) })
	if err == nil && s.Held < s.Runs {
		err = errDrillBroken
	}
	if written := bench.WriteSeries(c.stdout, []bench.Series{s}); written != nil {
		return written
	}
	return err
}
