package main

import (
	"fmt"

	"postfach/internal/admin"
)

type accountPasswd struct {
	Name string `arg:"" help:"The account's name."`
	passwordFlag
	storeFlags
}

func (c *accountPasswd) Run(p *process) error {
	if err := c.exists(); err != nil {
		return err
	}
	password, note, err := c.password(p)
	if err != nil {
		return err
	}
	err = c.withService(p, func(s admin.Service) error { return s.SetPassword(p.ctx, c.Name, password) })
	if err == nil {
		fmt.Fprint(p.stdout, note)
	}
	return err
}
