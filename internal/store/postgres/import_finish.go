package postgres

import (
	"context"
	"iter"

	"github.com/jackc/pgx/v5"

	"postfach/internal/mail"
)

// Finish implements mail.Import.
func (i *importing) Finish(ctx context.Context, entry mail.Account, state *mail.AccountState, outcomes iter.Seq2[mail.Outcome, error]) error {
	if err := i.flush(ctx); err != nil {
		return err
	}
	if err := i.addsUp(state); err != nil {
		return err
	}
	if err := i.Outcomes(ctx, outcomes); err != nil {
		return err
	}
	err := i.write(ctx, func(ctx context.Context, tx pgx.Tx) error {
		err := i.fill(ctx, tx, state)
		if err == nil && !i.here && i.h == i.s.first {
			err = list(ctx, tx, entry)
		}
		return err
	})
	if err == nil && !i.here && i.h != i.s.first {
		err = i.s.arrive(ctx, entry)
	}
	if err != nil {
		return err
	}
	i.ended = true
	i.s.removedAccount(i.id)
	i.s.forget(i.id)
	i.freeUnused(ctx)
	return nil
}

// Outcomes implements mail.Import.
func (i *importing) Outcomes(ctx context.Context, outcomes iter.Seq2[mail.Outcome, error]) error {
	const atOnce = 10_000
	ops, versions, ats := [][16]byte{}, []*int64{}, []int64{}
	write := func() error {
		if len(ops) == 0 {
			return nil
		}
		return i.write(ctx, func(ctx context.Context, tx pgx.Tx) error {
			_, err := tx.Exec(ctx, `INSERT INTO commits (account, op, version, at)
				SELECT $1, * FROM unnest($2::uuid[], $3::bigint[], $4::bigint[]) ON CONFLICT DO NOTHING`, int64(i.id), ops, versions, ats)
			return err
		})
	}
	for o, err := range outcomes {
		if err != nil {
			return err
		}
		var version *int64 // of one that was voided there is none
		if o.Version != 0 {
			v := int64(o.Version)
			version = &v
		}
		ops, versions, ats = append(ops, o.Op), append(versions, version), append(ats, o.At)
		if len(ops) == atOnce {
			if err := write(); err != nil {
				return err
			}
			ops, versions, ats = ops[:0], versions[:0], ats[:0]
		}
	}
	return write()
}

// fill writes the account's own row and what belongs to no mailbox.
func (i *importing) fill(ctx context.Context, tx pgx.Tx, state *mail.AccountState) error {
	if _, err := tx.Exec(ctx, "INSERT INTO subscriptions (account, name) SELECT $1, unnest($2::text[])", int64(i.id), state.Subscriptions); err != nil {
		return err
	}
	for number, set := range state.KeywordSets {
		if number == 0 {
			continue
		}
		if _, err := tx.Exec(ctx, "INSERT INTO keyword_sets (account, set, keywords) VALUES ($1, $2, $3)", int64(i.id), number, set); err != nil {
			return err
		}
	}
	for _, n := range state.Annotations {
		if _, err := tx.Exec(ctx, "INSERT INTO annotations (account, mailbox, name, value, modseq) VALUES ($1, $2, $3, $4, $5)",
			int64(i.id), int64(n.Mailbox), n.Name, []byte(n.Value), int64(n.ModSeq)); err != nil {
			return err
		}
	}
	t := state.Totals
	_, err := tx.Exec(ctx, `UPDATE accounts SET state = 'here', state_since = 0, version = $2, next_mailbox = $3, next_message = $4,
			last_uidvalidity = $5, messages = $6, unseen = $7, deleted = $8, bytes = $9 WHERE account = $1`,
		int64(i.id), int64(state.Version), int64(state.NextMailbox), int64(state.NextMessage), int64(state.LastUIDValidity),
		t.Messages, t.Unseen, t.Deleted, t.Bytes)
	return err
}

// addsUp compares what has been taken in with the counters of the account.
func (i *importing) addsUp(state *mail.AccountState) error {
	var totals mail.Counters
	sound := len(i.mailboxes) == len(state.Mailboxes)
	for _, want := range state.Mailboxes {
		m := i.mailboxes[want.ID]
		if m == nil || m.state != want || m.counted != want.Counters ||
			m.last >= want.UIDNext || m.modSeq > want.HighestModSeq || m.message >= state.NextMessage {
			sound = false
			break
		}
		totals.Add(m.counted)
	}
	if !sound || totals != state.Totals {
		return mail.Errorf(mail.Conflict, "the copy does not add up to the account")
	}
	return nil
}

// freeUnused deletes the messages that have come along and that no row has, such as those
// that were expunged while the account was copied: no row will ever have one of them. What
// can't be deleted now stays; it can't be seen.
func (i *importing) freeUnused(ctx context.Context) {
	const statement = `WITH used AS MATERIALIZED (SELECT DISTINCT message FROM mailbox_rows WHERE account = $1), freed AS (
		DELETE FROM messages m WHERE account = $1 AND message < $2 AND message NOT IN (SELECT message FROM used) RETURNING message, segment
	), c AS (
		DELETE FROM chunks WHERE account = $1 AND segment IN (SELECT segment FROM freed WHERE segment <> 0)
	) DELETE FROM bodies WHERE account = $1 AND message IN (SELECT message FROM freed)`
	err := i.s.write(ctx, i.h, func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, statement, int64(i.id), int64(i.next))
		return err
	})
	if err != nil {
		i.s.env.Log.Warn("messages that nobody has could not be freed", "account", i.id, "err", err)
	}
}
