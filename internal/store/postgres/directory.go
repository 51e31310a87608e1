package postgres

import (
	"context"
	"errors"
	"iter"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"postfach/internal/mail"
)

// accountsPage is how many entries of the directory are read at once.
const accountsPage = 1000

// AddAccount implements mail.Directory.
func (s *Store) AddAccount(ctx context.Context, a mail.Account) error {
	return s.AddAccounts(ctx, []mail.Account{a})
}

// entries are accounts by columns.
type entries struct {
	ids, created           []int64
	names, secrets, shards []string
}

// AddAccounts implements mail.Directory. A new account's shard is drawn by its id.
func (s *Store) AddAccounts(ctx context.Context, as []mail.Account) error {
	others, err := s.readShards(ctx)
	if err != nil {
		return err
	}
	places := append([]string{""}, others...)
	var e entries
	byShard := map[string][]int64{}
	for _, a := range as {
		if a.ID == 0 || a.ID>>63 != 0 || a.Name == "" {
			return mail.Errorf(mail.Invalid, "an account needs an id and a name")
		}
		place := places[uint64(a.ID)%uint64(len(places))]
		e.ids, e.created = append(e.ids, int64(a.ID)), append(e.created, a.Created)
		e.names, e.secrets, e.shards = append(e.names, a.Name), append(e.secrets, a.Secret), append(e.shards, place)
		byShard[place] = append(byShard[place], int64(a.ID))
	}
	for _, place := range others {
		if err := s.placeAccounts(ctx, place, byShard[place]); err != nil {
			return err
		}
	}
	return s.addEntries(ctx, e, byShard[""])
}

// placeAccounts makes the accounts' rows on a shard. What is left there of an attempt that came
// no further, an account without anything, is as good as new.
func (s *Store) placeAccounts(ctx context.Context, place string, ids []int64) error {
	if len(ids) == 0 {
		return nil
	}
	h, err := s.shard(ctx, place)
	if err != nil {
		return err
	}
	return h.do(ctx, func(ctx context.Context, c *pgxpool.Conn) error {
		_, err := c.Exec(ctx, "INSERT INTO accounts (account) SELECT * FROM unnest($1::bigint[]) ON CONFLICT DO NOTHING", ids)
		if err != nil {
			return err
		}
		var usable int
		err = c.QueryRow(ctx, `SELECT count(*) FROM accounts
			WHERE account = ANY($1) AND state = 'here' AND version = 0`, ids).Scan(&usable)
		if err == nil && usable < len(ids) {
			err = errExists
		}
		return err
	})
}

var errExists = mail.Errorf(mail.Exists, "the account exists")

// addEntries writes the directory, and the accounts that the first database itself has.
func (s *Store) addEntries(ctx context.Context, e entries, here []int64) error {
	err := s.write(ctx, s.first, func(ctx context.Context, tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "INSERT INTO accounts (account) SELECT * FROM unnest($1::bigint[])", here); err != nil {
			return err
		}
		var left bool
		err := tx.QueryRow(ctx, "SELECT EXISTS (SELECT FROM directory WHERE name = ANY($1) AND place = 'left')", e.names).Scan(&left)
		if err != nil {
			return err
		}
		if left {
			return errExists
		}
		_, err = tx.Exec(ctx, `INSERT INTO directory (account, name, secret, created, shard)
			SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[], $5::text[])`,
			e.ids, e.names, e.secrets, e.created, e.shards)
		return err
	})
	if codeOf(err) == codeDuplicate {
		return errExists
	}
	return err
}

// write runs a transaction that must not happen twice: when it is not known whether it has
// happened, that is Unavailable.
func (s *Store) write(ctx context.Context, h *shard, f func(context.Context, pgx.Tx) error) error {
	return h.once(ctx, func(ctx context.Context, c *pgxpool.Conn) error {
		return pgx.BeginFunc(ctx, c, func(tx pgx.Tx) error { return f(ctx, tx) })
	})
}

// Account implements mail.Directory.
func (s *Store) Account(ctx context.Context, name string) (a mail.Account, err error) {
	err = s.first.do(ctx, func(ctx context.Context, c *pgxpool.Conn) error {
		var id int64
		err := c.QueryRow(ctx, "SELECT account, name, secret, created FROM directory WHERE name = $1 AND place <> 'left' AND place = 'here'", name).
			Scan(&id, &a.Name, &a.Secret, &a.Created)
		a.ID = mail.AccountID(id)
		if errors.Is(err, pgx.ErrNoRows) {
			return hasLeft(ctx, c, name)
		}
		return err
	})
	if mail.Is(err, mail.Invalid) { // bytes that no name in the database can have
		err = errNoAccount
	}
	return a, err
}

// Accounts implements mail.Directory.
func (s *Store) Accounts(ctx context.Context) iter.Seq2[mail.Account, error] {
	return func(yield func(mail.Account, error) bool) {
		after := ""
		for {
			page, err := s.accountsAfter(ctx, after)
			if err != nil {
				yield(mail.Account{}, err)
				return
			}
			for _, a := range page {
				if !yield(a, nil) {
					return
				}
			}
			if len(page) < accountsPage {
				return
			}
			after = page[len(page)-1].Name
		}
	}
}

func (s *Store) accountsAfter(ctx context.Context, name string) (page []mail.Account, err error) {
	err = s.first.do(ctx, func(ctx context.Context, c *pgxpool.Conn) error {
		rows, err := c.Query(ctx, `SELECT account, name, secret, created FROM directory
			WHERE name > $1 AND place <> 'left' AND place = 'here' ORDER BY name LIMIT $2`, name, accountsPage)
		if err != nil {
			return err
		}
		page, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (a mail.Account, err error) {
			var id int64
			err = row.Scan(&id, &a.Name, &a.Secret, &a.Created)
			a.ID = mail.AccountID(id)
			return a, err
		})
		return err
	})
	return page, err
}

// SetSecret implements mail.Directory.
func (s *Store) SetSecret(ctx context.Context, id mail.AccountID, secret string) error {
	err := s.onShard(ctx, id, func(h *shard) error {
		state, err := h.state(ctx, id)
		if err == nil && state == "fenced" {
			return errFenced
		}
		return err
	})
	if err != nil {
		return err
	}
	return s.first.do(ctx, func(ctx context.Context, c *pgxpool.Conn) error {
		done, err := c.Exec(ctx, "UPDATE directory SET secret = $2 WHERE account = $1", int64(id), secret)
		if err == nil && done.RowsAffected() == 0 {
			err = errNoAccount
		}
		return err
	})
}

var errFenced = mail.Errorf(mail.Away, "the account is being moved")

// state is the account's, when it can be read.
func (h *shard) state(ctx context.Context, id mail.AccountID) (state string, err error) {
	err = h.do(ctx, func(ctx context.Context, c *pgxpool.Conn) error {
		err := c.QueryRow(ctx, "SELECT state FROM accounts WHERE account = $1", int64(id)).Scan(&state)
		if err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		return stateError(state)
	})
	return state, err
}

// RemoveAccount implements mail.Directory. An attempt that came only half way can be repeated.
func (s *Store) RemoveAccount(ctx context.Context, id mail.AccountID, now int64) error {
	err := s.onShard(ctx, id, func(h *shard) error {
		return s.markRemoved(ctx, h, id, now)
	})
	if err != nil && !errors.Is(err, errNoAccount) {
		return err
	}
	err = s.write(ctx, s.first, func(ctx context.Context, tx pgx.Tx) error {
		done, err := tx.Exec(ctx, "DELETE FROM directory WHERE account = $1 AND place = 'here'", int64(id))
		if err == nil && done.RowsAffected() == 0 {
			err = errNoAccount
		}
		return err
	})
	s.forget(id)
	s.removedAccount(id)
	return err
}

func (s *Store) markRemoved(ctx context.Context, h *shard, id mail.AccountID, now int64) error {
	return h.do(ctx, func(ctx context.Context, c *pgxpool.Conn) error {
		done, err := c.Exec(ctx, `UPDATE accounts SET state = 'removed', state_since = $2
			WHERE account = $1 AND state = 'here'`, int64(id), now)
		if err != nil || done.RowsAffected() > 0 {
			return err
		}
		state, err := h.state(ctx, id)
		if err == nil && state == "fenced" {
			err = errFenced
		}
		return err
	})
}
