package main

import (
	"context"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
)

// loop is what nobody can beat who makes the rows of a delivery durable one by one: the
// bare statements in one round trip, without mail, protocol or decisions.
type loop struct {
	connections []*pgx.Conn
	numbers     []atomic.Int64 // by account
	structure   []byte         // as a delivery of the server has written it
}

// loopAccounts are ids far from the server's.
const loopAccounts = 1000

var loopSetUp = []string{
	`INSERT INTO accounts (account) VALUES ($1)`,
	`INSERT INTO mailboxes (account, mailbox, name, uidvalidity, uid_next, highest_modseq, recent_from) VALUES ($1, 1, 'INBOX', 1, 1, 1, 1)`,
}

func (b *bench) newLoop(database string, n int) (*loop, error) {
	ctx := context.Background()
	l := &loop{numbers: make([]atomic.Int64, accountsMax)}
	for range n {
		c, err := pgx.Connect(ctx, b.postgres.DSN(database))
		if err != nil {
			l.close()
			return nil, err
		}
		l.connections = append(l.connections, c)
	}
	c := l.connections[0]
	for i := range accountsMax {
		for _, statement := range loopSetUp {
			if _, err := c.Exec(ctx, statement, loopAccounts+i); err != nil {
				return nil, err
			}
		}
	}
	return l, c.QueryRow(ctx, `SELECT structure FROM messages LIMIT 1`).Scan(&l.structure)
}

func (l *loop) close() {
	for _, c := range l.connections {
		c.Close(context.Background())
	}
}

// once makes one message durable. A batch without BEGIN is one transaction.
func (l *loop) once(connection, number int) error {
	account := loopAccounts + number%accountsMax
	n := l.numbers[number%accountsMax].Add(1)
	var b pgx.Batch
	b.Queue(`UPDATE accounts SET version = version + 1, next_message = next_message + 1, messages = messages + 1,
		unseen = unseen + 1, bytes = bytes + $2 WHERE account = $1`, account, messageBytes)
	b.Queue(`UPDATE mailboxes SET uid_next = uid_next + 1, highest_modseq = highest_modseq + 1, messages = messages + 1,
		unseen = unseen + 1, bytes = bytes + $2 WHERE account = $1 AND mailbox = 1`, account, messageBytes)
	b.Queue(`INSERT INTO messages VALUES ($1, $2, 0, $3, $4, 0, 0, 0, $5, 1)`, account, n, messageBytes, make([]byte, 32), l.structure)
	b.Queue(`INSERT INTO bodies VALUES ($1, $2, $3)`, account, n, message(number))
	b.Queue(`INSERT INTO mailbox_rows VALUES ($1, 1, $2, $2, 0, $2, $3, 0, 0, 0)`, account, n, messageBytes)
	b.Queue(`INSERT INTO commits (account, op, version, base, at, bases, changes) VALUES ($1, gen_random_uuid(), $2::bigint, $2::bigint - 1, 0, $3, $4)`,
		account, n, []int64{n, n}, make([]byte, 40))
	return l.connections[connection].SendBatch(context.Background(), &b).Close()
}
