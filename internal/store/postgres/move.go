package postgres

import (
	"context"
	"errors"
	"iter"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"postfach/internal/mail"
)

// Shard is the store as it looks from one of its databases: accounts come to it and leave it,
// and are in the same directory before and after. All else is the store's.
type Shard struct {
	*Store
	h *shard
}

var (
	_ mail.Movable = (*Store)(nil)
	_ mail.Movable = (*Shard)(nil)
)

// Shard finds a database by its name; "" is the first. NotFound.
func (s *Store) Shard(ctx context.Context, name string) (*Shard, error) {
	h, err := s.shard(ctx, name)
	if err != nil {
		return nil, err
	}
	return &Shard{s, h}, nil
}

// ShardOf tells where an account is.
func (s *Store) ShardOf(ctx context.Context, id mail.AccountID) (*Shard, error) {
	d, err := s.listed(ctx, id)
	if err != nil {
		return nil, err
	}
	return s.Shard(ctx, d.shard)
}

// onShardOr runs f on a shard when it is given, else where the account is.
func (s *Store) onShardOr(ctx context.Context, h *shard, id mail.AccountID, f func(*shard) error) error {
	if h != nil {
		return f(h)
	}
	return s.onShard(ctx, id, f)
}

// listing is an entry of the directory with its place.
type listing struct {
	mail.Account
	shard, place string
}

// listed reads an account's entry, whatever its place.
func (s *Store) listed(ctx context.Context, id mail.AccountID) (d listing, err error) {
	err = s.first.do(ctx, func(ctx context.Context, c *pgxpool.Conn) error {
		d.ID = id
		err := c.QueryRow(ctx, "SELECT name, secret, created, shard, place FROM directory WHERE account = $1", int64(id)).
			Scan(&d.Name, &d.Secret, &d.Created, &d.shard, &d.place)
		if errors.Is(err, pgx.ErrNoRows) {
			err = errNoAccount
		}
		return err
	})
	return d, err
}

// hasLeft is the error for a name that is not there.
func hasLeft(ctx context.Context, c *pgxpool.Conn, name string) error {
	var left bool
	err := c.QueryRow(ctx, "SELECT EXISTS (SELECT FROM directory WHERE name = $1 AND place = 'left')", name).Scan(&left)
	if err == nil {
		if err = errNoAccount; left {
			err = errMoved
		}
	}
	return err
}

// Entry implements mail.Movable.
func (s *Store) Entry(ctx context.Context, id mail.AccountID) (mail.Account, error) {
	d, err := s.listed(ctx, id)
	return d.Account, err
}

// places are the states of accounts.
var placeOf = map[string]mail.Place{
	"here": mail.Here, "fenced": mail.Fenced, "coming": mail.Coming, "moved": mail.Left,
}

// place reads what a shard has of an account.
func (h *shard) place(ctx context.Context, id mail.AccountID) (place mail.Place, err error) {
	err = h.do(ctx, func(ctx context.Context, c *pgxpool.Conn) error {
		state := ""
		err := c.QueryRow(ctx, "SELECT state FROM accounts WHERE account = $1", int64(id)).Scan(&state)
		if errors.Is(err, pgx.ErrNoRows) {
			err = nil
		}
		place = placeOf[state]
		return err
	})
	return place, err
}

// Place implements mail.Movable.
func (v *Shard) Place(ctx context.Context, id mail.AccountID) (mail.Place, error) {
	return v.h.place(ctx, id)
}

// Place implements mail.Movable. An import that was finished on its shard and not in the
// directory is finished now.
func (s *Store) Place(ctx context.Context, id mail.AccountID) (mail.Place, error) {
	d, err := s.listed(ctx, id)
	switch {
	case errors.Is(err, errNoAccount):
		return mail.Nowhere, nil
	case err != nil:
		return 0, err
	case d.place == "left":
		return mail.Left, nil
	}
	h, err := s.shard(ctx, d.shard)
	if err != nil {
		return 0, err
	}
	place, err := h.place(ctx, id)
	if err == nil && d.place == "coming" && place == mail.Here {
		err = s.arrive(ctx, d.Account)
	}
	return place, err
}

// arrive lists an account whose import is finished.
func (s *Store) arrive(ctx context.Context, a mail.Account) error {
	return s.write(ctx, s.first, func(ctx context.Context, tx pgx.Tx) error { return list(ctx, tx, a) })
}

func list(ctx context.Context, tx pgx.Tx, a mail.Account) error {
	_, err := tx.Exec(ctx, "UPDATE directory SET place = 'here', secret = $2, created = $3 WHERE account = $1 AND place = 'coming'",
		int64(a.ID), a.Secret, a.Created)
	return err
}

// Fence implements mail.Movable.
func (v *Shard) Fence(ctx context.Context, id mail.AccountID, on bool) error {
	return v.fence(ctx, v.h, id, on)
}

// Fence implements mail.Movable.
func (s *Store) Fence(ctx context.Context, id mail.AccountID, on bool) error {
	return s.onShard(ctx, id, func(h *shard) error { return s.fence(ctx, h, id, on) })
}

// fence changes the account's row, which every commit changes too: none is under way then,
// and all before it have reached the replicas when it has.
func (s *Store) fence(ctx context.Context, h *shard, id mail.AccountID, on bool) error {
	from, to := "here", "fenced"
	if !on {
		from, to = to, from
	}
	return s.write(ctx, h, func(ctx context.Context, tx pgx.Tx) error {
		done, err := tx.Exec(ctx, "UPDATE accounts SET state = $3 WHERE account = $1 AND state = $2", int64(id), from, to)
		if err != nil || done.RowsAffected() > 0 {
			return err
		}
		state := ""
		err = tx.QueryRow(ctx, "SELECT state FROM accounts WHERE account = $1", int64(id)).Scan(&state)
		if err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		return stateError(state)
	})
}

// Leave implements mail.Movable. The directory names the other shard before the account ends
// in this one, so that who asks at any moment finds it.
func (v *Shard) Leave(ctx context.Context, id mail.AccountID, now int64) error {
	d, err := v.listed(ctx, id)
	if err != nil {
		return err
	}
	if d.shard == v.h.name {
		to, err := v.other(ctx, id)
		if err != nil {
			return err
		}
		err = v.write(ctx, v.first, func(ctx context.Context, tx pgx.Tx) error {
			_, err := tx.Exec(ctx, "UPDATE directory SET shard = $2 WHERE account = $1", int64(id), to)
			return err
		})
		if err != nil {
			return err
		}
	}
	err = v.end(ctx, v.h, id, now)
	v.forget(id)
	v.removedAccount(id)
	return err
}

// other finds the shard that an account has come to.
func (v *Shard) other(ctx context.Context, id mail.AccountID) (string, error) {
	all, err := v.allShards(ctx)
	if err != nil {
		return "", err
	}
	for _, h := range all {
		if h == v.h {
			continue
		}
		if place, err := h.place(ctx, id); err != nil {
			return "", err
		} else if place == mail.Here {
			return h.name, nil
		}
	}
	return "", mail.Errorf(mail.Invalid, "the account is in no other shard")
}

// Leave implements mail.Movable.
func (s *Store) Leave(ctx context.Context, id mail.AccountID, now int64) error {
	d, err := s.listed(ctx, id)
	if err != nil {
		return err
	}
	h, err := s.shard(ctx, d.shard)
	if err != nil {
		return err
	}
	if err := s.end(ctx, h, id, now); err != nil {
		return err
	}
	err = s.write(ctx, s.first, func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, "UPDATE directory SET place = 'left' WHERE account = $1 AND place = 'here'", int64(id))
		return err
	})
	s.removedAccount(id)
	return err
}

// end ends an account on a shard.
func (s *Store) end(ctx context.Context, h *shard, id mail.AccountID, now int64) error {
	return s.write(ctx, h, func(ctx context.Context, tx pgx.Tx) error {
		done, err := tx.Exec(ctx, "UPDATE accounts SET state = 'moved', state_since = $2 WHERE account = $1 AND state = 'fenced'", int64(id), now)
		if err != nil || done.RowsAffected() > 0 {
			return err
		}
		var left bool
		err = tx.QueryRow(ctx, "SELECT EXISTS (SELECT FROM accounts WHERE account = $1 AND state = 'moved')", int64(id)).Scan(&left)
		if err == nil && !left {
			err = mail.Errorf(mail.Invalid, "the account is not about to leave")
		}
		return err
	})
}

// Accounts implements mail.Directory: those in this shard.
func (v *Shard) Accounts(ctx context.Context) iter.Seq2[mail.Account, error] {
	return func(yield func(mail.Account, error) bool) {
		for a, err := range v.Store.Accounts(ctx) {
			if err == nil {
				var place mail.Place
				if place, err = v.Place(ctx, a.ID); err == nil && place != mail.Here && place != mail.Fenced {
					continue
				}
			}
			if !yield(a, err) || err != nil {
				return
			}
		}
	}
}
