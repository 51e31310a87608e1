package main

import (
	"fmt"
	"time"

	"postfach/internal/admin"
)

type accountList struct{ storeFlags }

func (c *accountList) Run(p *process) error {
	if err := c.exists(); err != nil {
		return err
	}
	return c.withService(p, func(s admin.Service) error {
		all, err := s.List(p.ctx)
		for _, a := range all {
			fmt.Fprintf(p.stdout, "%s\t%s\t%s\n", a.Name, a.ID, time.Unix(a.Created, 0).UTC().Format(time.DateOnly))
		}
		return err
	})
}
