package admin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
)

// handler builds the routes of one listener. Orders live as long as ctx and not as long as the client's connection.
func (s *Server) handler(ctx context.Context, unixSocket bool) http.Handler {
	mux := http.NewServeMux()
	get := func(path string, h http.HandlerFunc) { route(mux, http.MethodGet, path, h) }
	post := func(path string, h http.HandlerFunc) { route(mux, http.MethodPost, path, s.authorized(h)) }

	get("/livez", s.livez)
	get("/readyz", s.readyz)
	get("/v1/status", s.authorized(s.status))
	get("/v1/events", s.authorized(s.events))
	get("/v1/pools/{pool}/failovers", s.authorized(s.failovers))
	post("/v1/pools/{pool}/switchover", s.switchover(ctx))
	post("/v1/pools/{pool}/failover", s.failover(ctx))
	post("/v1/pools/{pool}/hold", s.gateOrder(ctx, "hold", s.operator.Hold))
	post("/v1/pools/{pool}/release", s.gateOrder(ctx, "release", s.operator.Release))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		newProblem(http.StatusNotFound, CodeNotFound, fmt.Sprintf("no such path %s", r.URL.Path)).write(w)
	})
	return s.guarded(mux, unixSocket)
}

// route registers h for one method, and a problem for all others, because the mux itself would answer those in plain text.
func route(mux *http.ServeMux, method, path string, h http.HandlerFunc) {
	allow := method
	if method == http.MethodGet {
		allow = "GET, HEAD"
	}
	mux.HandleFunc(method+" "+path, h)
	mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Allow", allow)
		newProblem(http.StatusMethodNotAllowed, CodeNoSuchMethod, fmt.Sprintf("%s takes %s", r.URL.Path, allow)).write(w)
	})
}

// livez says that the process is alive and its HTTP server works, and nothing else.
func (s *Server) livez(w http.ResponseWriter, r *http.Request) {
	if p := checkQuery(r); p != nil {
		p.write(w)
		return
	}
	writeJSON(w, map[string]string{"status": "alive"})
}

// readyz says whether clients that connect now are served or held.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	if p := checkQuery(r); p != nil {
		p.write(w)
		return
	}
	if err := s.ready(); err != nil {
		newProblem(http.StatusServiceUnavailable, CodeNotReady, err.Error()).write(w)
		return
	}
	writeJSON(w, map[string]string{"status": "ready"})
}

func (s *Server) status(w http.ResponseWriter, r *http.Request) {
	if p := checkQuery(r); p != nil {
		p.write(w)
		return
	}
	writeJSON(w, s.snapshot())
}

// snapshot never holds a nil list or map, so that readers of the JSON meet [] and {} and not null.
func (s *Server) snapshot() Status {
	st := s.source.Status()
	if st.Version == "" {
		st.Version = s.version
	}
	pools := make([]Pool, len(st.Pools))
	for i, p := range st.Pools {
		p.Listen = append([]string{}, p.Listen...)
		p.Backends = append([]Backend{}, p.Backends...)
		if p.Closed == nil {
			p.Closed = map[string]uint64{}
		}
		if p.TurnedAway == nil {
			p.TurnedAway = map[string]uint64{}
		}
		pools[i] = p
	}
	st.Pools = pools
	return st
}

// events answers ?after=N with what happened after the event N; without it, with all that is remembered.
func (s *Server) events(w http.ResponseWriter, r *http.Request) {
	if p := checkQuery(r, "after"); p != nil {
		p.write(w)
		return
	}
	var after uint64
	if text := r.URL.Query().Get("after"); text != "" {
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			newProblem(http.StatusBadRequest, CodeBadRequest, fmt.Sprintf("after=%q: want a sequence number", text)).write(w)
			return
		}
		after = n
	}
	events := s.source.Events(after)
	if events == nil {
		events = []Event{}
	}
	writeJSON(w, events)
}

// failovers answers with the receipts of a pool, oldest first.
func (s *Server) failovers(w http.ResponseWriter, r *http.Request) {
	if p := checkQuery(r); p != nil {
		p.write(w)
		return
	}
	receipts, err := s.source.Failovers(r.PathValue("pool"))
	if err != nil {
		problemOf(err).write(w)
		return
	}
	if receipts == nil {
		receipts = []Receipt{}
	}
	writeJSON(w, receipts)
}

// switchover waits for the demotion of the old master to be ordered and answers with the receipt.
func (s *Server) switchover(ctx context.Context) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var order struct {
			To string `json:"to"`
		}
		s.carryOut(ctx, w, r, "switchover", &order, func(ctx context.Context, pool string) (any, error) {
			return s.operator.Switchover(ctx, pool, order.To)
		})
	}
}

// failover waits for the gate to open on the new master and answers with the receipt.
func (s *Server) failover(ctx context.Context) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var order FailoverOrder
		s.carryOut(ctx, w, r, "failover", &order, func(ctx context.Context, pool string) (any, error) {
			return s.operator.Failover(ctx, pool, order)
		})
	}
}

// gateOrder waits for the gate to move and answers with the pool as it is then.
func (s *Server) gateOrder(ctx context.Context, verb string, act func(context.Context, string) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.carryOut(ctx, w, r, verb, &struct{}{}, func(ctx context.Context, pool string) (any, error) {
			if err := act(ctx, pool); err != nil {
				return nil, err
			}
			return s.pool(pool)
		})
	}
}

func (s *Server) pool(name string) (Pool, error) {
	for _, p := range s.snapshot().Pools {
		if p.Name == name {
			return p, nil
		}
	}
	return Pool{}, fmt.Errorf("pool %q: %w", name, ErrNotFound)
}

// carryOut reads the order, has act do it within orderTimeMax, answers, and writes one audit line that names who asked.
func (s *Server) carryOut(
	ctx context.Context, w http.ResponseWriter, r *http.Request, verb string, order any, act func(context.Context, string) (any, error),
) {
	p := checkQuery(r)
	if p == nil {
		p = readOrder(w, r, order)
	}
	if p != nil {
		p.write(w)
		return
	}
	ctx, cancel := context.WithTimeout(ctx, orderTimeMax)
	defer cancel()
	pool, actor := r.PathValue("pool"), actorOf(r)
	answer, err := act(ctx, pool)
	if err != nil {
		// The limit of a step within the order is the reason of a failure; only the order's own leaves its end open.
		expired := errors.Is(ctx.Err(), context.DeadlineExceeded) && errors.Is(err, context.DeadlineExceeded)
		if expired && !errors.Is(err, ErrRefused) {
			err = fmt.Errorf("%s %s: %w after %s; it may still be carried out", verb, pool, ErrTimeout, orderTimeMax)
		}
		s.log.Warn("order failed", slog.String("verb", verb), slog.String("pool", pool), slog.String("actor", actor), slog.Any("err", err))
		problemOf(err).write(w)
		return
	}
	s.log.Info("order done", slog.String("verb", verb), slog.String("pool", pool), slog.String("actor", actor))
	writeJSON(w, answer)
}
