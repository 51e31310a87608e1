package pebble

import (
	"context"
	"iter"

	"github.com/cockroachdb/pebble/v2"

	"postfach/internal/mail"
)

// Finish implements mail.Import. Messages that no row has, such as those that were expunged
// while the account was copied, are left to the sweeper.
func (i *importing) Finish(ctx context.Context, entry mail.Account, state *mail.AccountState, outcomes iter.Seq2[mail.Outcome, error]) error {
	err := i.use(func(*epoch) error {
		if err := i.addsUp(state); err != nil {
			return err
		}
		if err := i.outcomes(ctx, outcomes); err != nil {
			return err
		}
		return i.store.still(ctx, i.id, func(e *epoch, b *pebble.Batch) error { return i.fill(e, b, &entry, state) })
	})
	if err == nil {
		i.Close()
	}
	return err
}

// Outcomes implements mail.Import.
func (i *importing) Outcomes(ctx context.Context, outcomes iter.Seq2[mail.Outcome, error]) error {
	return i.use(func(*epoch) error { return i.outcomes(ctx, outcomes) })
}

func (i *importing) outcomes(ctx context.Context, outcomes iter.Seq2[mail.Outcome, error]) error {
	for o, err := range outcomes {
		if err != nil {
			return err
		}
		// What was voided elsewhere can't arrive here.
		if o.Version != 0 {
			i.room().Set(outcomeKey(outcomeHour(o.At), i.id, o.Op), putUint(nil, o.Version), nil)
		}
		if err := i.flushFull(ctx); err != nil {
			return err
		}
	}
	return i.flush(ctx)
}

// fill puts into the batch what makes the account be here.
func (i *importing) fill(e *epoch, b *pebble.Batch, entry *mail.Account, state *mail.AccountState) error {
	if e != i.epoch {
		return errAway
	}
	if err := e.canCome(entry); err != nil {
		return err
	}
	record := accountRecord{
		version: state.Version, nextMailbox: state.NextMailbox, nextMessage: state.NextMessage,
		lastUIDValidity: state.LastUIDValidity, keywordSets: uint32(len(state.KeywordSets)), totals: state.Totals,
	}
	for _, name := range state.Subscriptions {
		b.Set(accountKey(keySubscription, i.id).text(name), nil, nil)
	}
	for number, set := range state.KeywordSets {
		if number > 0 {
			b.Set(accountKey(keyKeywordSet, i.id).u32(uint32(number)), keywordsValue(nil, set), nil)
		}
	}
	for _, n := range state.Annotations {
		b.Set(mailboxKey(keyAnnotation, i.id, n.Mailbox).text(n.Name), annotationValue(nil, n.ModSeq, n.Value), nil)
	}
	b.Set(newKey(keyName).text(entry.Name), newKey(keyEntry).account(i.id)[1:], nil)
	b.Set(accountKey(keyEntry, i.id), entryValue(entry), nil)
	b.Set(accountKey(keyArrived, i.id), putUint(nil, state.NextMessage), nil)
	b.Set(accountKey(keyAccount, i.id), record.encode(nil), nil)
	return b.Delete(accountKey(keyPlace, i.id), nil)
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

// arrived frees the messages of accounts that have come from other stores which nobody needs.
func (w *sweeper) arrived() error {
	due := func(_, v []byte) (*found, error) {
		value := values{b: v}
		return &found{modSeq: mail.ModSeq(value.uint())}, value.err()
	}
	return w.pages(keyArrived, due, func(f *found) error {
		if err := w.freeUnused(mail.AccountID(lastU64(f.key)), mail.MessageID(f.modSeq)); err != nil {
			return err
		}
		return w.drop(f, nil)
	})
}

// freeUnused frees the messages below one that have no row.
func (w *sweeper) freeUnused(id mail.AccountID, below mail.MessageID) error {
	prefix := accountKey(keyMessage, id)
	for from := mail.MessageID(1); from < below; {
		if err := w.ctx.Err(); err != nil {
			return mail.Wrap(mail.Busy, err)
		}
		var rows []rowID
		var failed error
		next := below
		w.e.walk(prefix, append(key(nil), prefix...).message(from), func(k, _ []byte, err error) bool {
			if failed = err; err != nil {
				return false
			}
			message := mail.MessageID(lastU64(k))
			if message >= below {
				return false
			}
			if len(rows) == sweepRows {
				next = message
				return false
			}
			rows = append(rows, rowID{message: message})
			return true
		})
		if failed != nil {
			return failed
		}
		if err := w.freeUnusedBatch(id, rows); err != nil {
			return err
		}
		from = next
	}
	return nil
}

func (w *sweeper) freeUnusedBatch(id mail.AccountID, rows []rowID) error {
	w.e.tidy.Lock()
	defer w.e.tidy.Unlock()
	lock, err := w.e.locks.lock(w.ctx, id)
	if err != nil {
		return err
	}
	defer lock.unlock()
	b := w.e.db.NewIndexedBatch()
	if err := w.freeMessages(b, id, rows); err != nil || b.Empty() {
		b.Close()
		return err
	}
	_, err = w.e.write(b)
	return err
}
