package postgres

import (
	"context"
	"encoding/binary"
	"errors"
	"io"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"postfach/internal/mail"
)

// importing takes in one account. Its token is in the account's row: a newer import has
// another one, and whatever is still under way for this one then fails.
type importing struct {
	s     *Store
	h     *shard
	here  bool // the directory has the account: it comes from another shard
	id    mail.AccountID
	token int64
	next  mail.MessageID
	ended bool

	pending   []*pendingMessage // not written yet
	bytes     int64             // of them, in memory
	large     int64             // of them, in uploads
	mailboxes map[mail.MailboxID]*importedMailbox
}

var errImportEnded = mail.Errorf(mail.Conflict, "the import has ended")

// Import implements mail.Movable.
func (v *Shard) Import(ctx context.Context, entry mail.Account) (mail.Import, error) {
	d, err := v.listed(ctx, entry.ID)
	if err != nil {
		return nil, err
	}
	if d.place != "here" || d.shard == v.h.name {
		return nil, errExists
	}
	return v.importTo(ctx, v.h, entry, true)
}

// Import implements mail.Movable.
func (s *Store) Import(ctx context.Context, entry mail.Account) (mail.Import, error) {
	if entry.ID == 0 || entry.ID>>63 != 0 || entry.Name == "" {
		return nil, mail.Errorf(mail.Invalid, "an account needs an id and a name")
	}
	others, err := s.readShards(ctx)
	if err != nil {
		return nil, err
	}
	places := append([]string{""}, others...)
	shard := places[uint64(entry.ID)%uint64(len(places))]
	err = s.write(ctx, s.first, func(ctx context.Context, tx pgx.Tx) error {
		place := ""
		err := tx.QueryRow(ctx, `INSERT INTO directory (account, name, secret, created, shard, place) VALUES ($1, $2, $3, $4, $5, 'coming')
			ON CONFLICT (account) DO UPDATE SET name = $2, place = 'coming' WHERE directory.place <> 'here'
			RETURNING place, shard`, int64(entry.ID), entry.Name, entry.Secret, entry.Created, shard).Scan(&place, &shard)
		if errors.Is(err, pgx.ErrNoRows) {
			return errExists
		}
		return err
	})
	if codeOf(err) == codeDuplicate {
		err = errExists
	}
	if err != nil {
		return nil, err
	}
	h, err := s.shard(ctx, shard)
	if err != nil {
		return nil, err
	}
	return s.importTo(ctx, h, entry, false)
}

// comingTables are those that an import begins with empty, whatever is in them.
var comingTables = []string{"mailbox_rows", "tombstones", "mailboxes", "expunges", "commits", "subscriptions", "keyword_sets", "annotations", "derived"}

// messageTables keep what an import has taken in that was broken off.
var messageTables = []string{"messages", "bodies", "chunks"}

func (s *Store) importTo(ctx context.Context, h *shard, entry mail.Account, here bool) (mail.Import, error) {
	i := &importing{s: s, h: h, here: here, id: entry.ID, mailboxes: map[mail.MailboxID]*importedMailbox{}}
	op, err := s.env.NewOpID()
	if err != nil {
		return nil, mail.Wrap(mail.Internal, err)
	}
	i.token = int64(binary.BigEndian.Uint64(op[:8]) >> 1)
	id := int64(entry.ID)
	err = s.write(ctx, h, func(ctx context.Context, tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "INSERT INTO accounts (account, state) VALUES ($1, 'coming') ON CONFLICT DO NOTHING", id); err != nil {
			return err
		}
		state := ""
		if err := tx.QueryRow(ctx, "SELECT state FROM accounts WHERE account = $1 FOR UPDATE", id).Scan(&state); err != nil {
			return err
		}
		tables := comingTables
		switch state {
		case "here", "fenced":
			return errExists
		case "moved", "removed":
			tables = append(tables[:len(tables):len(tables)], messageTables...)
		}
		for _, table := range tables {
			if _, err := tx.Exec(ctx, "DELETE FROM "+table+" WHERE account = $1", id); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(ctx, "UPDATE accounts SET state = 'coming', state_since = $2 WHERE account = $1", id, i.token); err != nil {
			return err
		}
		var next int64
		err := tx.QueryRow(ctx, "SELECT coalesce(max(message), 0) + 1 FROM messages WHERE account = $1", id).Scan(&next)
		i.next = mail.MessageID(next)
		return err
	})
	if err != nil {
		return nil, err
	}
	s.removedAccount(entry.ID) // nothing that is cached of it counts
	return i, nil
}

// Next implements mail.Import.
func (i *importing) Next() mail.MessageID { return i.next }

// write runs a transaction of the import.
func (i *importing) write(ctx context.Context, f func(context.Context, pgx.Tx) error) error {
	if i.ended {
		return errImportEnded
	}
	return i.s.write(ctx, i.h, func(ctx context.Context, tx pgx.Tx) error {
		var mine bool
		err := tx.QueryRow(ctx, `SELECT state = 'coming' AND state_since = $2 FROM accounts WHERE account = $1 FOR NO KEY UPDATE`,
			int64(i.id), i.token).Scan(&mine)
		if err == nil && !mine {
			err = errImportEnded
		}
		if err != nil {
			return err
		}
		return f(ctx, tx)
	})
}

// read reads what has been taken in.
func (i *importing) read(ctx context.Context, f func(context.Context, *pgxpool.Conn) error) error {
	if i.ended {
		return errImportEnded
	}
	return i.h.do(ctx, f)
}

// Close implements mail.Import. What has come together is written, so that the next import
// need not take it in again.
func (i *importing) Close() error {
	if i.ended {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), i.h.timeout)
	defer cancel()
	err := i.flush(ctx)
	i.release()
	i.ended = true
	if errors.Is(err, errImportEnded) {
		err = nil
	}
	return err
}

type readCloser struct {
	io.Reader
	io.Closer
}
