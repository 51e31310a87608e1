package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// batch is statements that travel together and are one transaction.
type batch struct{ pgx.Batch }

func newBatch() *batch { return &batch{} }

// send returns the first error; then nothing has happened, unless broken says otherwise.
func (b *batch) send(ctx context.Context, c *pgxpool.Conn) error {
	return c.SendBatch(ctx, &b.Batch).Close()
}
