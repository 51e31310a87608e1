package main

import "postfach/internal/admin"

type deliverCommand struct {
	To string `required:"" placeholder:"USER" help:"An account, or an address as LMTP takes it: anna, anna+lists, anna@example.org."`
	storeFlags
}

func (c *deliverCommand) Run(p *process) error {
	if err := c.exists(); err != nil {
		return err
	}
	return c.withService(p, func(s admin.Service) error { return s.Deliver(p.ctx, c.To, p.stdin) })
}
