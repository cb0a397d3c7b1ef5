package main

import (
	"time"

	"holdfast/configs"
	"holdfast/health"
	"holdfast/health/failover"
	"holdfast/proxy"
	"holdfast/proxy/resp"
	"holdfast/splice"
)

const (
	// keepAlive finds dead peers of idle connections; Redis itself uses 300 s on its side.
	keepAlive = 60 * time.Second
	// userTimeout ends a connection whose bytes nobody acknowledges. Health judges long before; this is for what is left.
	userTimeout = 10 * time.Second
	// notSentLowat bounds what the kernel takes in for a slow reader beyond what is on its way.
	notSentLowat = 256 << 10
	// socketMode lets owner and group of a unix socket connect, as at the admin socket; who may, the directory's group decides.
	socketMode = 0o660
)

// servedPool is one pool with the controller that leads it.
type servedPool struct {
	name       string
	cfg        *configs.Pool
	data       *proxy.Pool
	controller *health.Controller
}

func (d *daemon) openPool(cfg *configs.Pool, global configs.Proxy) (*servedPool, error) {
	settings, err := d.settings(cfg)
	if err != nil {
		return nil, err
	}
	journal, err := d.authority.Pool(cfg.Name)
	if err != nil {
		return nil, err
	}
	p := &servedPool{name: cfg.Name, cfg: cfg}
	options := poolOptions(cfg, global)
	options.OnEvidence = func(e proxy.Evidence) { p.controller.Observe(evidence(e)) } // runs only after open
	if p.data, err = d.proxy.AddPool(options); err != nil {
		return nil, err
	}
	executor := failover.New(settings, dataPlane{p.data}, journal)
	if p.controller, err = health.New(settings, executor, journal.Last()); err != nil {
		return nil, err
	}
	receipts, err := journal.Receipts(health.ReceiptsMax)
	p.controller.Remember(receipts)
	return p, err
}

func (d *daemon) settings(cfg *configs.Pool) (health.Settings, error) {
	password, err := cfg.Password()
	if err != nil {
		return health.Settings{}, err
	}
	s := health.Settings{
		Name: cfg.Name, Mode: mode(cfg.Failover), Username: cfg.Check.Username, Password: password,
		Interval: cfg.Check.Interval.Std(), Silence: cfg.Check.Silence.Std(), Patience: cfg.Check.Patience.Std(),
		HoldMaxWait: cfg.Hold.MaxWait.Std(), MaxLoss: cfg.Policy.MaxLoss.Bytes(), MinGap: cfg.Policy.MinGap.Std(),
		DrainMax: cfg.Policy.DrainMax.Std(), Logger: d.log,
	}
	if cfg.Protocol == configs.ProtocolTCP {
		s.Probe = health.ProbeConnect
	}
	for _, b := range cfg.Backends {
		s.Backends = append(s.Backends, health.Backend{Name: b.Name, Address: b.Address, Machine: b.Machine})
	}
	return s, nil
}

func mode(f configs.Failover) health.Mode {
	switch f {
	case configs.FailoverFollow:
		return health.Follow
	case configs.FailoverOrdered:
		return health.Ordered
	case configs.FailoverOff:
		return health.Off
	}
	return health.Promote
}

func poolOptions(cfg *configs.Pool, global configs.Proxy) proxy.PoolOptions {
	o := proxy.PoolOptions{
		Name: cfg.Name, Listen: cfg.Listen, Opaque: cfg.Protocol == configs.ProtocolTCP, Deny: cfg.Deny,
		Policy: policy(cfg.Policy.InFlight), HeldMax: cfg.Hold.MaxClients,
		Socket: splice.SocketOptions{
			KeepAlive: keepAlive, UserTimeout: userTimeout, NotSentLowat: notSentLowat, UnixMode: socketMode,
		},
	}
	if o.Socket.Congestion = global.Congestion; global.Congestion == configs.CongestionAuto {
		o.Socket.Congestion, o.Socket.LoopbackCongestion = "", splice.Unpaced()
	}
	for _, b := range cfg.Backends {
		o.Backends = append(o.Backends, b.Address)
	}
	return o
}

func policy(p configs.InFlight) resp.Policy {
	switch p {
	case configs.InFlightFail:
		return resp.Fail
	case configs.InFlightRetryIdempotent:
		return resp.RetryIdempotent
	case configs.InFlightRetryAll:
		return resp.RetryAll
	}
	return resp.RetryReads
}
