package chaos

import (
	"context"
	"time"
)

// proxyFaults strike Holdfast itself. Connections end with its process.
func proxyFaults() []fault {
	return []fault{
		{name: "proxy-sigstop-300ms", text: "SIGSTOP of Holdfast for 300 ms", promotions: nobody(), gapMax: gapKill + 300*time.Millisecond,
			commit: freezeProxy(300 * time.Millisecond)},
		{name: "proxy-sigstop-2s", text: "SIGSTOP of Holdfast for 2 s", promotions: nobody(), gapMax: gapFreeze,
			commit: freezeProxy(2 * time.Second)},
		{name: "proxy-sigstop-failover", text: "SIGSTOP of Holdfast for 500 ms in the middle of a failover", promotions: once(),
			gapMax: gapFreeze, commit: freezeProxyAmid},
		{name: "proxy-sigkill", text: "SIGKILL of Holdfast, restarted at once", promotions: nobody(), gapMax: gapFreeze, drops: true,
			commit: killProxy},
		{name: "proxy-sigterm", text: "SIGTERM of Holdfast, restarted at once", promotions: nobody(), gapMax: gapFreeze, drops: true,
			commit: terminateProxy},
		{name: "proxy-sigkill-failover", text: "SIGKILL of Holdfast at a random step of a failover, restarted at once", promotions: once(),
			adoptions: perhaps(), gapMax: 2 * gapFreeze, drops: true, blind: true, commit: killProxyAmid},
		{name: "proxy-sigkill-switchover", text: "SIGKILL of Holdfast at a random step of a switchover, restarted at once",
			promotions: perhaps(), adoptions: perhaps(), gapMax: 2 * gapFreeze, drops: true, commit: killProxySwitching},
	}
}

func freezeProxy(d time.Duration) func(context.Context, *cycle) error {
	return func(ctx context.Context, c *cycle) error {
		if err := c.daemon.Freeze(); err != nil {
			return err
		}
		if err := pause(ctx, d); err != nil {
			return err
		}
		return c.daemon.Wake()
	}
}

// amidMax covers all steps of a failover on an idle machine, in which each lasts a few milliseconds.
const amidMax = 25 * time.Millisecond

// amid lets a failover run for a random while.
func (c *cycle) amid(ctx context.Context) error {
	return pause(ctx, time.Duration(c.rng.Int64N(int64(amidMax))))
}

func freezeProxyAmid(ctx context.Context, c *cycle) error {
	if err := c.old.Kill(); err != nil {
		return err
	}
	if err := c.amid(ctx); err != nil {
		return err
	}
	if err := freezeProxy(500*time.Millisecond)(ctx, c); err != nil {
		return err
	}
	return c.promoted(ctx, 1)
}

func killProxy(ctx context.Context, c *cycle) error {
	if err := c.daemon.Kill(); err != nil {
		return err
	}
	return c.restartProxy(ctx)
}

func terminateProxy(ctx context.Context, c *cycle) error {
	if err := c.daemon.Stop(); err != nil {
		return err
	}
	return c.restartProxy(ctx)
}

// restartProxy starts the process again and waits until it serves; its counts begin anew.
func (c *cycle) restartProxy(ctx context.Context) error {
	c.reset = true
	if err := c.daemon.Start(); err != nil {
		return err
	}
	return c.promoted(ctx, 0)
}

func killProxyAmid(ctx context.Context, c *cycle) error {
	if err := c.old.Kill(); err != nil {
		return err
	}
	if err := c.amid(ctx); err != nil {
		return err
	}
	if err := killProxy(ctx, c); err != nil {
		return err
	}
	return c.promoted(ctx, 1)
}

func killProxySwitching(ctx context.Context, c *cycle) error {
	done := make(chan error, 1)
	go order(ctx, c.daemon, done) // awaited below
	err := c.amid(ctx)
	if err == nil {
		err = c.daemon.Kill()
	}
	<-done // its connection breaks with the process
	if err != nil {
		return err
	}
	return c.restartProxy(ctx)
}
