package bench

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const (
	// SentinelMaster is the name under which Sentinels know the master of a pair.
	SentinelMaster = "pair"
	sentinelCount  = 3
	sentinelQuorum = 2
	// sentinelReadyMax is how long three Sentinels may take to find each other and the replica: they say hello every 2 s.
	sentinelReadyMax = 20 * time.Second
)

// Sentinels are three Redis Sentinels that watch one pair.
type Sentinels struct {
	addresses []string
	procs     []*process
	config    string
}

// StartSentinels starts them below dir and returns when each knows the others and all replicas. downAfter 0 leaves every time
// at Sentinel's own default; failoverTimeout counts only beside another downAfter.
func StartSentinels(ctx context.Context, dir string, p *Pair, downAfter, failoverTimeout time.Duration) (*Sentinels, error) {
	s := &Sentinels{}
	host, port, err := net.SplitHostPort(p.Master.Address())
	if err != nil {
		return nil, fmt.Errorf("split address of %s: %w", p.Master.Name, err)
	}
	s.config = fmt.Sprintf("sentinel monitor %s %s %s %d\n", SentinelMaster, host, port, sentinelQuorum)
	if downAfter > 0 {
		s.config += fmt.Sprintf("sentinel down-after-milliseconds %s %d\nsentinel failover-timeout %s %d\n",
			SentinelMaster, downAfter.Milliseconds(), SentinelMaster, failoverTimeout.Milliseconds())
	}
	for i := range sentinelCount {
		if err := s.startOne(dir, fmt.Sprintf("sentinel%d", i+1)); err != nil {
			return nil, errors.Join(err, s.Close())
		}
	}
	err = await(ctx, sentinelReadyMax, pollEvery, func(ctx context.Context) error { return s.complete(ctx, len(p.Servers)-1) })
	if err != nil {
		return nil, errors.Join(fmt.Errorf("wait for the Sentinels: %w", err), s.Close())
	}
	return s, nil
}

func (s *Sentinels) startOne(dir, name string) error {
	port, err := freePort()
	if err != nil {
		return err
	}
	file := filepath.Join(dir, name+".conf")
	text := fmt.Sprintf("port %d\nbind 127.0.0.1\ndir %s\n%s", port, dir, s.config)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return fmt.Errorf("write configuration of %s: %w", name, err)
	}
	proc, err := startProcess(name, filepath.Join(dir, name+".log"), "redis-server", file, "--sentinel")
	if err != nil {
		return err
	}
	s.addresses, s.procs = append(s.addresses, loopback(port)), append(s.procs, proc)
	return nil
}

// complete objects as long as one of them does not know all the others and the replicas.
func (s *Sentinels) complete(ctx context.Context, replicas int) error {
	for _, address := range s.addresses {
		info, err := s.info(ctx, address)
		if err != nil {
			return err
		}
		wants := map[string]string{"flags": "master", "num-slaves": fmt.Sprint(replicas), "num-other-sentinels": fmt.Sprint(sentinelCount - 1)}
		for key, want := range wants {
			if info[key] != want {
				return fmt.Errorf("%s says %s %q, not %q", address, key, info[key], want)
			}
		}
	}
	return nil
}

// info is what one Sentinel knows of the master.
func (s *Sentinels) info(ctx context.Context, address string) (map[string]string, error) {
	rep, err := ask(ctx, address, "SENTINEL", "MASTER", SentinelMaster)
	if err != nil {
		return nil, err
	}
	info := make(map[string]string)
	for i := 0; i+1 < len(rep.items); i += 2 {
		info[rep.items[i].text] = rep.items[i+1].text
	}
	return info, nil
}

// Addresses are where Sentinel-aware clients ask.
func (s *Sentinels) Addresses() []string { return s.addresses }

// Config is what all of them were told about the pair.
func (s *Sentinels) Config() string { return strings.TrimSpace(s.config) }

// Master is the address that the Sentinels give to clients.
func (s *Sentinels) Master(ctx context.Context) (string, error) {
	rep, err := ask(ctx, s.addresses[0], "SENTINEL", "GET-MASTER-ADDR-BY-NAME", SentinelMaster)
	if err != nil {
		return "", err
	}
	if len(rep.items) != 2 {
		return "", fmt.Errorf("ask %s for the master: got %s", s.addresses[0], rep)
	}
	return net.JoinHostPort(rep.items[0].text, rep.items[1].text), nil
}

// Failover moves the mastership on purpose; it returns when that has begun.
func (s *Sentinels) Failover(ctx context.Context) error {
	_, err := ask(ctx, s.addresses[0], "SENTINEL", "FAILOVER", SentinelMaster)
	return err
}

// Close ends all of them.
func (s *Sentinels) Close() error {
	var errs []error
	for _, proc := range s.procs {
		errs = append(errs, proc.kill())
	}
	return errors.Join(errs...)
}

// ask makes one request on a connection of its own; an error reply is an error.
func ask(ctx context.Context, address string, args ...string) (reply, error) {
	c, err := dial(ctx, address)
	if err != nil {
		return reply{}, err
	}
	defer c.Close()
	rep, err := c.must(args...)
	if err != nil {
		return reply{}, fmt.Errorf("ask %s: %w", address, err)
	}
	return rep, nil
}
