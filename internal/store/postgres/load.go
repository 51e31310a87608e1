package postgres

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"postfach/internal/mail"
)

// snapshot begins a transaction whose reads all see the same.
const snapshot = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"

// LoadAccount implements mail.Store.
func (s *Store) LoadAccount(ctx context.Context, id mail.AccountID) (*mail.AccountState, error) {
	var a *mail.AccountState
	err := s.query(ctx, id, func(ctx context.Context, c *pgxpool.Conn) error {
		a = &mail.AccountState{ID: id, KeywordSets: [][]string{nil}}
		state := ""
		b := &pgx.Batch{}
		b.Queue(snapshot)
		b.Queue(`SELECT state, version, next_mailbox, next_message, last_uidvalidity, messages, unseen, deleted, bytes
			FROM accounts WHERE account = $1`, int64(id)).Query(each(func(r [][]byte) error {
			state = string(r[0])
			a.Version, a.NextMailbox, a.NextMessage = mail.Version(rawInt(r[1])), mail.MailboxID(rawInt(r[2])), mail.MessageID(rawInt(r[3]))
			a.LastUIDValidity, a.Totals = uint32(rawInt(r[4])), rawCounters(r[5:])
			return nil
		}))
		b.Queue(`SELECT mailbox, name, uidvalidity, uid_next, highest_modseq, recent_from, special_use, messages, unseen, deleted, bytes
			FROM mailboxes WHERE account = $1 AND deleted_at IS NULL ORDER BY mailbox`, int64(id)).Query(each(func(r [][]byte) error {
			a.Mailboxes = append(a.Mailboxes, rawMailbox(r))
			return nil
		}))
		b.Queue("SELECT name FROM subscriptions WHERE account = $1 ORDER BY name", int64(id)).Query(each(func(r [][]byte) error {
			a.Subscriptions = append(a.Subscriptions, string(r[0]))
			return nil
		}))
		b.Queue("SELECT keywords FROM keyword_sets WHERE account = $1 ORDER BY set", int64(id)).Query(func(rows pgx.Rows) error {
			sets, err := pgx.CollectRows(rows, pgx.RowTo[[]string])
			a.KeywordSets = append(a.KeywordSets, sets...)
			return err
		})
		b.Queue(`SELECT mailbox, name, value, modseq FROM annotations n WHERE account = $1 AND (mailbox = 0 OR EXISTS
			(SELECT FROM mailboxes b WHERE b.account = $1 AND b.mailbox = n.mailbox AND b.deleted_at IS NULL))
			ORDER BY mailbox, name`, int64(id)).Query(each(func(r [][]byte) error {
			a.Annotations = append(a.Annotations, mail.Annotation{
				Mailbox: mail.MailboxID(rawInt(r[0])), Name: string(r[1]), Value: string(r[2]), ModSeq: mail.ModSeq(rawInt(r[3])),
			})
			return nil
		}))
		b.Queue("COMMIT")
		if err := c.SendBatch(ctx, b).Close(); err != nil {
			return err
		}
		return stateError(state)
	})
	if err != nil {
		return nil, err
	}
	s.recent.overlay(a)
	return a, nil
}

// each calls f for the values of each row, as they came.
func each(f func([][]byte) error) func(pgx.Rows) error {
	return func(rows pgx.Rows) error {
		defer rows.Close()
		for rows.Next() {
			if err := f(rows.RawValues()); err != nil {
				return err
			}
		}
		return rows.Err()
	}
}

func rawCounters(r [][]byte) mail.Counters {
	return mail.Counters{Messages: rawInt(r[0]), Unseen: rawInt(r[1]), Deleted: rawInt(r[2]), Bytes: rawInt(r[3])}
}

func rawMailbox(r [][]byte) mail.MailboxState {
	return mail.MailboxState{
		ID: mail.MailboxID(rawInt(r[0])), Name: string(r[1]), UIDValidity: uint32(rawInt(r[2])), UIDNext: mail.UID(rawInt(r[3])),
		HighestModSeq: mail.ModSeq(rawInt(r[4])), RecentFrom: mail.UID(rawInt(r[5])), Use: mail.Use(rawInt(r[6])),
		Counters: rawCounters(r[7:]),
	}
}

// LoadMailbox implements mail.Store. A connection is busy until the rows have been read.
func (s *Store) LoadMailbox(ctx context.Context, id mail.AccountID, mailbox mail.MailboxID) (mail.Version, iter.Seq2[mail.Row, error], error) {
	var l *loading
	err := s.onShard(ctx, id, func(h *shard) error {
		deadline := time.Now().Add(h.timeout)
		for {
			c, err := h.acquire(ctx, deadline)
			if err != nil {
				return err
			}
			l = &loading{c: c}
			if err = l.begin(ctx, id, mailbox); err == nil {
				return nil
			}
			l.end(err)
			if ctx.Err() != nil || !repeatable(err) || time.Now().After(deadline) {
				return classify(err)
			}
			wait(ctx, retryPause)
		}
	})
	if err != nil {
		return 0, nil, err
	}
	return l.version, l.rows(), nil
}

// loading is a mailbox that is being read.
type loading struct {
	c       *pgxpool.Conn
	batch   pgx.BatchResults
	version mail.Version
}

// begin asks for all, and reads all but the rows.
func (l *loading) begin(ctx context.Context, id mail.AccountID, mailbox mail.MailboxID) error {
	b := &pgx.Batch{}
	b.Queue(snapshot)
	b.Queue(`SELECT a.state, a.version, m.mailbox FROM accounts a
		LEFT JOIN mailboxes m ON m.account = $1 AND m.mailbox = $2 AND m.deleted_at IS NULL
		WHERE a.account = $1`, int64(id), int64(mailbox))
	b.Queue(`SELECT uid, message, flags, modseq, size, date, zone_minutes, saved FROM mailbox_rows
		WHERE account = $1 AND mailbox = $2 ORDER BY uid`, int64(id), int64(mailbox))
	b.Queue("COMMIT")
	l.batch = l.c.SendBatch(ctx, b)
	if _, err := l.batch.Exec(); err != nil {
		return err
	}
	var state string
	var version int64
	var there *int64
	err := l.batch.QueryRow().Scan(&state, &version, &there)
	if errors.Is(err, pgx.ErrNoRows) {
		return errNoAccount
	}
	if err != nil {
		return err
	}
	if err := stateError(state); err != nil {
		return err
	}
	if there == nil {
		return errNoMailbox
	}
	l.version = mail.Version(version)
	return nil
}

// end gives the connection back, or closes it when more would come than anybody wants.
func (l *loading) end(err error) {
	if broken(err) || l.batch.Close() != nil {
		closeConn(l.c.Conn())
	}
	l.c.Release()
}

var errStopped = errors.New("not read to the end")

func (l *loading) rows() iter.Seq2[mail.Row, error] {
	return func(yield func(mail.Row, error) bool) {
		err := errStopped
		defer func() { l.end(err) }() // also when yield panics
		rows, failed := l.batch.Query()
		if failed == nil {
			for rows.Next() {
				if !yield(rawRow(rows.RawValues()), nil) {
					return
				}
			}
			failed = rows.Err()
		}
		if err = failed; err != nil {
			yield(mail.Row{}, classify(err))
		}
	}
}

func rawRow(r [][]byte) mail.Row {
	return mail.Row{
		UID: mail.UID(rawInt(r[0])), Flags: mail.Flags(rawInt(r[2])), ModSeq: mail.ModSeq(rawInt(r[3])),
		Fixed: mail.Fixed{
			Message: mail.MessageID(rawInt(r[1])), Size: rawInt(r[4]),
			Date: mail.Stamp{Unix: rawInt(r[5]), ZoneMinutes: int16(rawInt(r[6]))}, Saved: rawInt(r[7]),
		},
	}
}
