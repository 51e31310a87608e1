package main

import "postfach/internal/admin"

type accountRemove struct {
	Name string `arg:"" help:"The account's name."`
	storeFlags
}

func (c *accountRemove) Run(p *process) error {
	if err := c.exists(); err != nil {
		return err
	}
	return c.withService(p, func(s admin.Service) error { return s.Remove(p.ctx, c.Name) })
}
