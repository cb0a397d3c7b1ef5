package main

import (
	"log/slog"
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
	// userTimeoutSlack is how much later than Holdfast itself the kernel gives up a connection whose bytes nobody takes. It counts
	// a peer that only does not read as one that is gone, so it must not be the first to act.
	userTimeoutSlack = 10 * time.Second
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
	tutor      *failover.Tutor // nil where bytes are opaque
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
	if cfg.Protocol == configs.ProtocolRedis {
		p.tutor = executor.Tutor(dataPlane{p.data})
	}
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
		CloseUnknownState: cfg.Policy.UnknownState == configs.UnknownStateClose,
		RefuseCursors:     cfg.Policy.ScanCursors == configs.ScanCursorsRefuse,
	}
	o.Socket = splice.SocketOptions{KeepAlive: keepAlive, NotSentLowat: notSentLowat, Congestion: global.Congestion, UnixMode: socketMode}
	if global.Congestion == configs.CongestionAuto {
		o.Socket.Congestion, o.Socket.LoopbackCongestion = "", splice.Unpaced()
	}
	o.ClientSocket = o.Socket
	o.Socket.UserTimeout = cfg.Check.Patience.Std() + userTimeoutSlack
	if global.OutputTimeout > 0 {
		o.ClientSocket.UserTimeout = global.OutputTimeout.Std() + userTimeoutSlack
	}
	for _, b := range cfg.Backends {
		o.Backends = append(o.Backends, b.Address)
	}
	return o
}

// proxyOptions are those of the data plane as a whole.
func proxyOptions(cfg configs.Proxy, log *slog.Logger) proxy.Options {
	return proxy.Options{
		Loops: cfg.Loops, ClientsMax: cfg.ClientsMax, Logger: log,
		Limits: proxy.Limits{
			Handshake: cfg.HandshakeTimeout.Std(), Request: cfg.RequestTimeout.Std(), Idle: cfg.IdleTimeout.Std(),
			Output: cfg.OutputTimeout.Std(), PerAddress: cfg.ClientsPerAddress,
		},
	}
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
