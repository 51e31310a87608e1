package main

import (
	"fmt"

	"postfach/internal/admin"
)

type accountAdd struct {
	Name string `arg:"" help:"The account's name: anna or anna@example.org."`
	passwordFlag
	storeFlags
}

func (c *accountAdd) Run(p *process) error {
	password, note, err := c.password(p)
	if err != nil {
		return err
	}
	err = c.withService(p, func(s admin.Service) error {
		return s.Add(p.ctx, []admin.NewAccount{{Name: c.Name, Password: password}})
	})
	if err == nil {
		fmt.Fprint(p.stdout, note)
	}
	return err
}
