package postgres

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"postfach/internal/mail"
	"postfach/test/rig"
)

const (
	benchAccounts = 200
	benchWriters  = 8
	benchBytes    = 4 << 10
)

// benchStore is a store with accounts on a server that waits for its disk.
func benchStore(b *testing.B) *Store {
	server, err := rig.StartPostgres(rig.PostgresOptions{})
	rig.Must(b, err)
	b.Cleanup(func() { _ = server.Stop() })
	rig.Must(b, server.CreateDatabase("bench"))
	ctx := context.Background()
	s, err := Open(ctx, server.DSN("bench"), Options{Env: mail.SystemEnv(slog.New(slog.DiscardHandler))})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	for id := mail.AccountID(1); id <= benchAccounts; id++ {
		if err := s.AddAccount(ctx, mail.Account{ID: id, Name: fmt.Sprint(id)}); err != nil {
			b.Fatal(err)
		}
		inbox := &mail.MailboxCreated{Stamped: mail.Stamped{ModSeq: 1}, State: mail.MailboxState{ID: 1, Name: "INBOX", UIDNext: 1}}
		if _, err := s.Commit(ctx, &mail.Commit{Account: id, Changes: []mail.Change{inbox}}); err != nil {
			b.Fatal(err)
		}
	}
	return s
}

func benchCommit(body []byte) *mail.Commit {
	c := &mail.Commit{Account: 1 + mail.AccountID(mathrand.IntN(benchAccounts)), Blind: true, Now: 1_700_000_000}
	_, _ = rand.Read(c.Op[:])
	c.Changes = []mail.Change{&mail.Appended{Mailbox: 1, Delta: mail.Counters{Messages: 1, Unseen: 1, Bytes: benchBytes}, Arrivals: []mail.Arrival{{
		Row: mail.Row{Fixed: mail.Fixed{Size: benchBytes}}, Inline: body,
		Message: &mail.Message{Size: benchBytes, Body: mail.Ref{Inline: true}, Structure: body[:300]},
	}}}}
	return c
}

// run calls f from several goroutines at once.
func benchRun(b *testing.B, f func(body []byte) error) {
	b.ResetTimer()
	var group sync.WaitGroup
	for w := range benchWriters {
		group.Go(func() {
			body := make([]byte, benchBytes)
			_, _ = rand.Read(body)
			for i := w; i < b.N; i += benchWriters {
				binary.BigEndian.PutUint64(body, uint64(i))
				if err := f(append([]byte(nil), body...)); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "commits/s")
}

// BenchmarkBlind is deliveries of one small message each; BenchmarkBare is the same rows by the
// same statement without a store.
func BenchmarkBlind(b *testing.B) {
	s := benchStore(b)
	benchRun(b, func(body []byte) error {
		_, err := s.Commit(context.Background(), benchCommit(body))
		return err
	})
}

func BenchmarkBare(b *testing.B) {
	s := benchStore(b)
	ctx := context.Background()
	benchRun(b, func(body []byte) error {
		c := benchCommit(body)
		k, err := check(c)
		if err != nil {
			return err
		}
		a := &attempt{c: c, k: k, op: c.Op, log: encodeChanges(0, c.Changes)}
		q := &pgx.Batch{}
		a.blind(q)
		rows, err := s.first.pool.Query(ctx, appendBlind, q.QueuedQueries[0].Arguments...)
		if err != nil {
			return err
		}
		return each(func([][]byte) error { return nil })(rows)
	})
}

// The same rows by statements that are as plain as can be.
func BenchmarkPlain(b *testing.B) {
	s := benchStore(b)
	ctx := context.Background()
	benchRun(b, func(body []byte) error {
		c := benchCommit(body)
		q := &pgx.Batch{}
		id := int64(c.Account)
		var version, message, uid int64
		digest := make([]byte, 32)
		return pgx.BeginFunc(ctx, s.first.pool, func(tx pgx.Tx) error {
			if err := tx.QueryRow(ctx, `UPDATE accounts SET version = version + 1, next_message = next_message + 1, messages = messages + 1,
				unseen = unseen + 1, bytes = bytes + $2 WHERE account = $1 RETURNING version, next_message - 1`, id, benchBytes).Scan(&version, &message); err != nil {
				return err
			}
			if err := tx.QueryRow(ctx, `UPDATE mailboxes SET uid_next = uid_next + 1, highest_modseq = $2, messages = messages + 1,
				unseen = unseen + 1, bytes = bytes + $3 WHERE account = $1 AND mailbox = 1 RETURNING uid_next - 1`, id, version, benchBytes).Scan(&uid); err != nil {
				return err
			}
			q.Queue(`INSERT INTO messages VALUES ($1, $2, 0, $3, $4, 0, 0, 0, $5, 0)`, id, message, benchBytes, digest, body[:300])
			q.Queue(`INSERT INTO bodies VALUES ($1, $2, $3)`, id, message, body)
			q.Queue(`INSERT INTO mailbox_rows VALUES ($1, 1, $2, $3, 0, $4, $5, 0, 0, 0)`, id, uid, message, version, benchBytes)
			q.Queue(`INSERT INTO commits VALUES ($1, $2, $3, $4, 0, NULL, $5)`, id, [16]byte(c.Op), version, version-1, digest)
			return tx.SendBatch(ctx, q).Close()
		})
	})
}

// benchMailbox is an account whose mailbox has many messages, made by the server itself.
func benchMailbox(b *testing.B, rows int) *Store {
	s := benchStore(b)
	for _, statement := range []string{
		`INSERT INTO mailbox_rows SELECT 1, 1, n, n, 0, 1, 4096, n, 0, n FROM generate_series(1, $1::bigint) n`,
		`UPDATE mailboxes SET uid_next = $1 + 1, messages = $1 WHERE account = 1`,
		`UPDATE accounts SET next_message = $1 + 1 WHERE account = 1`,
	} {
		if _, err := s.first.pool.Exec(context.Background(), statement, int64(rows)); err != nil {
			b.Fatal(err)
		}
	}
	return s
}

func BenchmarkLoadMailbox(b *testing.B) {
	const rows = 1_000_000
	s := benchMailbox(b, rows)
	for b.Loop() {
		_, seq, err := s.LoadMailbox(context.Background(), 1, 1)
		if err != nil {
			b.Fatal(err)
		}
		n := 0
		for _, err := range seq {
			if n++; err != nil {
				b.Fatal(err)
			}
		}
		if n != rows {
			b.Fatal(n)
		}
	}
}

// BenchmarkFlags sets a flag of one message, in mailboxes of different sizes.
func BenchmarkFlags(b *testing.B) {
	for _, rows := range []int{1000, 1_000_000} {
		b.Run(fmt.Sprint(rows), func(b *testing.B) {
			s := benchMailbox(b, rows)
			at := mail.Version(1)
			for b.Loop() {
				change := &mail.FlagsSet{Stamped: mail.Stamped{ModSeq: at + 1}, Mailbox: 1, Flags: mail.Seen,
					UIDs: mail.UIDs(mail.UID(1 + mathrand.IntN(rows)))}
				if _, err := s.Commit(context.Background(), &mail.Commit{Account: 1, At: at, Changes: []mail.Change{change}}); err != nil {
					b.Fatal(err)
				}
				at++
			}
		})
	}
}
