package main

import (
	"context"
	"fmt"

	"postfach/internal/admin"
	"postfach/internal/mail"
	"postfach/internal/mailbox"
	"postfach/internal/search"
)

// indexCommand is the parent of the index subcommands.
type indexCommand struct {
	Rebuild indexRebuild `cmd:"" help:"Make the text indexes of accounts anew. Searches find the same meanwhile, more slowly."`
	Status  indexStatus  `cmd:"" help:"Tell how far the text indexes of accounts are, and how large."`
}

// indexFlags are what both have.
type indexFlags struct {
	Names []string `arg:"" optional:"" name:"account" help:"The accounts; all, if there is none."`
	storeFlags
}

func (f *indexFlags) run(p *process, rebuild bool) error {
	if err := f.exists(); err != nil {
		return err
	}
	return f.withService(p, func(s admin.Service) error {
		return s.Index(p.ctx, admin.IndexRequest{Names: f.Names, Rebuild: rebuild}, func(line string) { fmt.Fprintln(p.stdout, line) })
	})
}

type indexRebuild struct{ indexFlags }

func (c *indexRebuild) Run(p *process) error { return c.run(p, true) }

type indexStatus struct{ indexFlags }

func (c *indexStatus) Run(p *process) error { return c.run(p, false) }

// textIndex is the text index of a store, with the one who makes it.
type textIndex struct {
	index   *search.Index
	indexer *search.Indexer
	workers *search.Workers
}

func newTextIndex(store mail.Store, engine *mailbox.Engine, cacheBytes int64) (*textIndex, error) {
	index, err := search.NewIndex(store, cacheBytes)
	if err != nil {
		return nil, err
	}
	workers := search.NewWorkers(0)
	open := func(ctx context.Context, id mail.AccountID) (search.Source, error) {
		a, err := engine.Account(ctx, id)
		if err != nil {
			return nil, err
		}
		return a.Opener(), nil
	}
	return &textIndex{index, search.NewIndexer(index, store, engine.Env(), workers, open), workers}, nil
}
