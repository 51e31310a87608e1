package postgres

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"postfach/internal/mail"
)

const (
	recentInterval = time.Second
	recentsMax     = 100_000
)

// place is a mailbox of an account.
type place struct {
	account mail.AccountID
	mailbox mail.MailboxID
}

// recents is what SetRecent was told and has not written yet, and what it knows of mailboxes
// without asking.
type recents struct {
	mu      sync.Mutex
	known   map[place]mail.UID // bounded
	pending map[place]mail.UID
}

func (r *recents) init() {
	r.known = map[place]mail.UID{}
	r.pending = map[place]mail.UID{}
}

// SetRecent implements mail.Store. It is written within about a second, together with others.
func (s *Store) SetRecent(ctx context.Context, id mail.AccountID, mailbox mail.MailboxID, from mail.UID) error {
	p := place{id, mailbox}
	if s.recent.set(p, from) {
		return nil
	}
	stored, err := s.readRecent(ctx, p)
	if err != nil {
		return err
	}
	s.recent.learn(p, stored)
	s.recent.set(p, from)
	return nil
}

// set is false when the mailbox is not known.
func (r *recents) set(p place, from mail.UID) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	old, known := r.known[p]
	if known && from > old {
		r.known[p], r.pending[p] = from, from
	}
	return known
}

func (r *recents) learn(p place, from mail.UID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.learnLocked(p, from)
}

func (r *recents) learnLocked(p place, from mail.UID) {
	if _, known := r.known[p]; !known && len(r.known) >= recentsMax {
		for other := range r.known {
			if _, waits := r.pending[other]; !waits {
				delete(r.known, other)
			}
			break
		}
	}
	r.known[p] = max(from, r.known[p])
}

// overlay brings a state that was read up to what has not been written yet.
func (r *recents) overlay(a *mail.AccountState) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range a.Mailboxes {
		m := &a.Mailboxes[i]
		p := place{a.ID, m.ID}
		r.learnLocked(p, m.RecentFrom)
		m.RecentFrom = r.known[p]
	}
}

func (r *recents) drop(id mail.AccountID, mailbox mail.MailboxID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.known, place{id, mailbox})
	delete(r.pending, place{id, mailbox})
}

func (r *recents) dropAccount(id mail.AccountID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for p := range r.known {
		if p.account == id {
			delete(r.known, p)
			delete(r.pending, p)
		}
	}
}

func (s *Store) readRecent(ctx context.Context, p place) (from mail.UID, err error) {
	err = s.onShard(ctx, p.account, func(h *shard) error {
		return h.do(ctx, func(ctx context.Context, c *pgxpool.Conn) error {
			var state string
			var found *int64
			err := c.QueryRow(ctx, `SELECT a.state, m.recent_from FROM accounts a
				LEFT JOIN mailboxes m ON m.account = $1 AND m.mailbox = $2 AND m.deleted_at IS NULL
				WHERE a.account = $1`, int64(p.account), int64(p.mailbox)).Scan(&state, &found)
			if err != nil && !errors.Is(err, pgx.ErrNoRows) {
				return err
			}
			if err := stateError(state); err != nil {
				return err
			}
			if found == nil {
				return mail.Errorf(mail.NotFound, "no such mailbox")
			}
			from = mail.UID(*found)
			return nil
		})
	})
	return from, err
}

func (s *Store) recentLoop() {
	tick := time.NewTicker(recentInterval)
	defer tick.Stop()
	for {
		select {
		case <-s.closing:
			return
		case <-tick.C:
			s.flushRecent()
		}
	}
}

// flushRecent writes what is pending, a statement a shard. What fails is lost: it may be.
func (s *Store) flushRecent() {
	s.recent.mu.Lock()
	pending := s.recent.pending
	s.recent.pending = map[place]mail.UID{}
	s.recent.mu.Unlock()
	if len(pending) == 0 {
		return
	}
	ctx := context.Background()
	byShard := map[*shard][3][]int64{}
	for p, from := range pending {
		if h, err := s.home(ctx, p.account); err == nil {
			l := byShard[h]
			byShard[h] = [3][]int64{append(l[0], int64(p.account)), append(l[1], int64(p.mailbox)), append(l[2], int64(from))}
		}
	}
	for h, l := range byShard {
		if err := s.writeRecent(ctx, h, l); err != nil {
			s.env.Log.Debug("could not keep what is recent", "err", err)
		}
	}
}

// writeRecent does not wait for a mailbox that a commit has locked, lest two wait for each other:
// it tries that one again.
func (s *Store) writeRecent(ctx context.Context, h *shard, l [3][]int64) error {
	return h.do(ctx, func(ctx context.Context, c *pgxpool.Conn) error {
		rows, err := c.Query(ctx, `WITH p AS (
				SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS p (account, mailbox, recent_from)
			), free AS (
				SELECT m.account, m.mailbox, p.recent_from FROM mailboxes m JOIN p USING (account, mailbox)
				WHERE m.recent_from < p.recent_from FOR NO KEY UPDATE OF m SKIP LOCKED
			), written AS (
				UPDATE mailboxes m SET recent_from = free.recent_from FROM free
				WHERE m.account = free.account AND m.mailbox = free.mailbox
			)
			SELECT p.account, p.mailbox, p.recent_from FROM p JOIN mailboxes m USING (account, mailbox)
			WHERE m.recent_from < p.recent_from
				AND NOT EXISTS (SELECT FROM free WHERE free.account = p.account AND free.mailbox = p.mailbox)`, l[0], l[1], l[2])
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			r := rows.RawValues()
			s.recent.again(place{mail.AccountID(rawInt(r[0])), mail.MailboxID(rawInt(r[1]))}, mail.UID(rawInt(r[2])))
		}
		return rows.Err()
	})
}

// again puts back what could not be written.
func (r *recents) again(p place, from mail.UID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, known := r.known[p]; known {
		r.pending[p] = max(from, r.pending[p])
	}
}
