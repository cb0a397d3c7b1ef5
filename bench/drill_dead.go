package bench

import (
	"context"
	"fmt"
	"time"
)

// deadFor is how long no node of the pair is alive.
const deadFor = 5 * time.Second

func bothDead() plan {
	return plan{
		name: "both-dead-5s", fault: "both nodes dead for 5 s, then one back with its data",
		gapMax: deadFor + 3*time.Second, promotions: -1, errors: errorsNone,
		commit: loseBoth,
	}
}

func bothDeadTooLong() plan {
	return plan{
		name: "both-dead-past-max-wait", fault: "both nodes dead for longer than max_wait, then one back with its data",
		daemon:     DaemonOptions{MaxWait: 2 * time.Second},
		promotions: -1, errors: errorsHeldLong,
		commit: loseBoth,
	}
}

// loseBoth kills both nodes with a snapshot that holds every acknowledged write, so that nothing that is missing later
// can be blamed on the disk.
func loseBoth(ctx context.Context, s *scene) error {
	if err := s.saveAndKill(ctx); err != nil {
		return err
	}
	if err := pause(ctx, deadFor); err != nil {
		return err
	}
	return s.pair.Master.Start(ctx)
}

func (s *scene) saveAndKill(ctx context.Context) error {
	s.load.Quiet()
	defer s.load.Resume()
	if err := s.pair.Replica.WaitInSync(ctx, s.pair.Master, servedMax); err != nil {
		return err
	}
	if err := s.pair.Master.Save(ctx); err != nil {
		return err
	}
	if err := s.pair.Replica.Kill(); err != nil { // first, or it would be promoted before it dies
		return err
	}
	return s.pair.Master.Kill()
}

// restarts is how often restartSwapped ends the proxy.
const restarts = 2

// restartSwapped restarts the proxy twice: once beside an old master that says it still is one and answers first, and
// once after somebody else has swapped the roles.
func restartSwapped() plan {
	return plan{
		name: "restart-swapped-roles", fault: "Holdfast restarted while the roles are swapped",
		promotions: -1, errors: errorsRestart, converge: true,
		prepare: func(ctx context.Context, s *scene) error { return s.pair.Master.Save(ctx) },
		commit: func(ctx context.Context, s *scene) error {
			if err := s.restartBesideImpostor(ctx); err != nil {
				return err
			}
			return s.restartAfterForeignFailover(ctx)
		},
	}
}

// restartBesideImpostor leaves the true master silent until the impostor had every chance to be taken for it.
func (s *scene) restartBesideImpostor(ctx context.Context) error {
	impostor, truth := s.pair.Master, s.pair.Replica
	if err := s.kill(impostor); err != nil {
		return err
	}
	if err := s.waitPromotions(ctx, 1); err != nil {
		return err
	}
	if err := s.load.WaitServed(ctx, proof, servedMax); err != nil {
		return err
	}
	if err := s.daemon.Kill(); err != nil {
		return err
	}
	if err := impostor.RestartFromSnapshot(ctx); err != nil {
		return err
	}
	if err := truth.Freeze(); err != nil {
		return err
	}
	if err := s.daemon.Start(); err != nil {
		return err
	}
	if err := pause(ctx, 300*time.Millisecond); err != nil {
		return err
	}
	if err := truth.Wake(); err != nil {
		return err
	}
	return s.expectMaster(ctx, truth, "beside an old master that answers first")
}

// restartAfterForeignFailover lets Redis itself swap the roles while the proxy is away.
func (s *scene) restartAfterForeignFailover(ctx context.Context) error {
	if err := s.load.WaitServed(ctx, proof, servedMax); err != nil {
		return err
	}
	if err := s.daemon.Stop(); err != nil {
		return err
	}
	if _, err := s.pair.Replica.Do(ctx, "FAILOVER", "TIMEOUT", "5000"); err != nil {
		return err
	}
	if err := s.pair.Master.WaitRole(ctx, "master", servedMax); err != nil {
		return err
	}
	if err := s.pair.Replica.WaitRole(ctx, "slave", servedMax); err != nil {
		return err
	}
	if err := s.daemon.Start(); err != nil {
		return err
	}
	return s.expectMaster(ctx, s.pair.Master, "after a failover by somebody else")
}

// expectMaster waits for the daemon to serve and notes whether it chose right.
func (s *scene) expectMaster(ctx context.Context, want *Server, when string) error {
	if err := s.daemon.WaitServing(ctx); err != nil {
		return err
	}
	got, err := s.master(ctx)
	if err != nil {
		return err
	}
	s.report.promise(got == want, fmt.Sprintf("restarted %s it finds the right master", when), "%s, want %s", got.Name, want.Name)
	return nil
}
