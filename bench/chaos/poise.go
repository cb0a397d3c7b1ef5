package chaos

import "context"

// poised is connections that wait in one phase of a request each while the fault strikes.
type poised struct{}

func (c *cycle) poise(context.Context) (*poised, error) { return nil, nil }

func (p *poised) finish(*cycle, *judge) {}

func (p *poised) check(*wire, *judge) error { return nil }
