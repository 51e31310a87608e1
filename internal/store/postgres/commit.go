package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"postfach/internal/mail"
)

// attempt is a commit on its way.
type attempt struct {
	c        *mail.Commit
	k        *checked
	op       [16]byte
	log      []byte
	guard    bool // bodies are in the database, and must be there
	version  mail.Version
	found    bool  // a blind commit has found its account
	numbered given // and this is what it was given
}

// Commit implements mail.Store. It is durable when it returns.
func (s *Store) Commit(ctx context.Context, c *mail.Commit) (mail.Committed, error) {
	if err := ctx.Err(); err != nil {
		return mail.Committed{}, mail.Wrap(mail.Busy, err)
	}
	k, err := check(c)
	if err != nil {
		return mail.Committed{}, err
	}
	a := &attempt{c: c, k: k, op: c.Op, log: encodeChanges(c.At, c.Changes), guard: s.bodies == nil && k.segments}
	if c.Blind {
		a.log = encodeChanges(0, c.Changes)
	}
	if c.Op == (mail.OpID{}) { // nobody will ask for it, and the log needs a key
		if a.op, err = s.env.NewOpID(); err != nil {
			return mail.Committed{}, mail.Wrap(mail.Internal, err)
		}
	}
	if err := s.onShard(ctx, c.Account, func(h *shard) error { return s.decide(ctx, h, a) }); err != nil {
		return mail.Committed{}, err
	}
	if c.Blind {
		a.numbered.number(c.Changes)
	}
	s.committed(c, a.version)
	return mail.Committed{Version: a.version}, nil
}

func (s *Store) decide(ctx context.Context, h *shard, a *attempt) error {
	var err error
	if lock := h.held.take(a.c.Account); lock != nil {
		err = lock.commit(ctx, a)
	} else {
		err = h.once(ctx, a.send)
	}
	if codeOf(err) != codeVersion {
		return err
	}
	var n *news
	if a.c.Lock {
		n, err = h.hold(ctx, a.c.Account, a.c.At)
	} else {
		n, err = h.news(ctx, a.c.Account, a.c.At)
	}
	if err != nil {
		return classify(err)
	}
	return n.conflict()
}

// batch is the commit as statements that travel together: one transaction.
func (a *attempt) batch() *pgx.Batch {
	b := &pgx.Batch{}
	if a.c.Blind {
		a.blind(b)
	} else {
		a.atVersion(b)
	}
	return b
}

// send makes the commit, in one round trip.
func (a *attempt) send(ctx context.Context, c *pgxpool.Conn) error {
	if err := c.SendBatch(ctx, a.batch()).Close(); err != nil {
		return a.explain(err)
	}
	return a.done(ctx, c)
}

// done asks why a blind commit has found no account that takes commits.
func (a *attempt) done(ctx context.Context, c *pgxpool.Conn) error {
	if !a.c.Blind || a.found {
		return nil
	}
	var state string
	rows, err := c.Query(ctx, "SELECT state FROM accounts WHERE account = $1", int64(a.c.Account))
	if err == nil {
		err = each(func(r [][]byte) error { state = string(r[0]); return nil })(rows)
	}
	switch {
	case err != nil:
		return mail.Wrap(mail.Away, err)
	case state == "fenced":
		return errFenced
	case state == "here": // since a moment ago
		return errFenced
	}
	return stateError(state)
}

// explain gives errors their kinds that have one only in a commit.
func (a *attempt) explain(err error) error {
	switch codeOf(err) {
	case codeDuplicate:
		if constraintOf(err) == "commits_pkey" {
			return &mail.Error{Kind: mail.Away, Text: "somebody has been told that this commit has not happened", Cause: err}
		}
		return mail.Wrap(mail.Internal, err)
	case codeNotFound:
		if messageOf(err) == errNoAccount.Text {
			return errNoAccount
		}
	}
	return err
}

// commit makes the commit inside of the transaction that has the lock, and ends it.
func (k *heldLock) commit(ctx context.Context, a *attempt) error {
	b := a.batch()
	b.Queue("COMMIT")
	err := watched(k.c.Conn(), func() error { return k.c.SendBatch(context.WithoutCancel(ctx), b).Close() })
	defer func() {
		if err != nil {
			closeConn(k.c.Conn())
		}
		k.c.Release()
	}()
	switch {
	case err == nil && a.c.Blind && !a.found:
		return errFenced // the state can't have changed but to this while it was locked
	case err == nil:
		return nil
	case codeOf(err) == codeVersion:
		return err
	case broken(err):
		return mail.Wrap(mail.Unavailable, err)
	}
	return classify(a.explain(err))
}
