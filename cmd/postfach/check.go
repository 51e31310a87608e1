package main

import (
	"fmt"
	"log/slog"

	"postfach/internal/mail"
	"postfach/internal/store/pebble"
)

type checkCommand struct{ dataFlag }

func (c *checkCommand) Run(p *process) error {
	if err := c.exists(); err != nil {
		return err
	}
	env := mail.SystemEnv(slog.New(slog.NewTextHandler(p.stderr, nil)))
	store, err := pebble.Open(c.Data, pebble.Options{Env: env})
	if err != nil {
		return err
	}
	defer store.Close()
	found := 0
	err = store.Check(p.ctx, func(problem string) {
		found++
		fmt.Fprintln(p.stdout, problem)
	})
	switch {
	case err != nil:
		return err
	case found > 0:
		return fmt.Errorf("%d problems", found)
	}
	fmt.Fprintln(p.stdout, "all is well")
	return nil
}
