package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"holdfast/admin"
)

// answerBytesMax bounds what a daemon may answer: a thousand events or pools stay far below it.
const answerBytesMax = 16 << 20

// client asks one daemon. Every error it returns carries an exit code.
type client struct {
	server  string // as the user named it
	base    string // URL without a trailing slash
	token   string
	timeout time.Duration // 0: the default of the kind of request
	http    *http.Client
}

// close lets go of the connections that are kept alive.
func (c *client) close() { c.http.CloseIdleConnections() }

// status returns the daemon's picture and the JSON it came in.
func (c *client) status(ctx context.Context) (admin.Status, []byte, error) {
	var st admin.Status
	raw, err := c.view(ctx, "/v1/status", &st)
	return st, raw, err
}

func (c *client) events(ctx context.Context, after uint64) ([]admin.Event, error) {
	var events []admin.Event
	_, err := c.view(ctx, "/v1/events?after="+strconv.FormatUint(after, 10), &events)
	return events, err
}

// order posts body to a verb of a pool, reads the answer into v and returns the JSON it came in.
func (c *client) order(ctx context.Context, pool, verb string, body, v any) ([]byte, error) {
	data, err := json.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("encode order: %w", err)
	}
	path := "/v1/pools/" + url.PathEscape(pool) + "/" + verb
	return c.do(ctx, http.MethodPost, path, data, c.limit(orderTimeMax), v)
}

func (c *client) view(ctx context.Context, path string, v any) ([]byte, error) {
	return c.do(ctx, http.MethodGet, path, nil, c.limit(viewTimeMax), v)
}

func (c *client) limit(standard time.Duration) time.Duration {
	if c.timeout > 0 {
		return c.timeout
	}
	return standard
}

func (c *client) do(ctx context.Context, method, path string, body []byte, limit time.Duration, v any) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", c.server, err)
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	resp, err := c.http.Do(r)
	if err != nil {
		return nil, c.noAnswer(ctx, limit, err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, answerBytesMax))
	if err != nil {
		return nil, c.noAnswer(ctx, limit, err)
	}
	if resp.StatusCode/100 != 2 {
		return nil, c.refusal(resp, data)
	}
	if err := json.Unmarshal(data, v); err != nil {
		return nil, fmt.Errorf("read answer of %s: %w; is it a Holdfast daemon?", c.server, err)
	}
	return data, nil
}

// noAnswer says in one line what happened and what to do about it.
func (c *client) noAnswer(ctx context.Context, limit time.Duration, err error) error {
	var text error
	code := linkExit(ctx, err)
	switch code {
	case exitTimeout:
		text = fmt.Errorf("no answer from %s within %s; an order goes on, 'holdfast status' shows how far it is", c.server, limit)
	case exitFailed:
		text = errors.New("interrupted; the daemon goes on with an order that it has received")
	default:
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err
		}
		text = fmt.Errorf("no daemon answers at %s (%w): start one with 'holdfast run -c FILE', or name another with --server or %s",
			c.server, err, serverEnv)
	}
	return &exitError{code: code, err: text}
}

// refusal turns the problem that the daemon answered with into an error.
func (c *client) refusal(resp *http.Response, data []byte) error {
	var p admin.Problem
	if err := json.Unmarshal(data, &p); err != nil || p.Code == "" {
		return fmt.Errorf("%s answered %s; is it a Holdfast daemon?", c.server, resp.Status)
	}
	if p.Code == admin.CodeUnauthorized {
		return fmt.Errorf("%s: %w; name its file with --token-file or %s", c.server, &p, tokenFileEnv)
	}
	return &exitError{code: problemExit(&p), err: &p}
}
