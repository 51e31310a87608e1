package pebble

import (
	"cmp"
	"context"
	"iter"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"postfach/internal/mail"
)

// An account that is here has its record (keyAccount), with the fence in it. One that is
// coming or has left has none, and says in keyPlace which it is.

// readPlace reads keyPlace; Nowhere when there is none.
func (e *epoch) readPlace(id mail.AccountID) (place mail.Place, err error) {
	_, err = e.read(accountKey(keyPlace, id), func(b []byte) error {
		v := values{b: b}
		place = mail.Place(v.uint())
		return v.err()
	})
	return place, err
}

func placeValue(place mail.Place, now int64) []byte { return putInt(putUint(nil, uint16(place)), now) }

// missing says why an account has no record.
func (e *epoch) missing(id mail.AccountID) error {
	place, err := e.readPlace(id)
	switch {
	case err != nil:
		return err
	case place == mail.Left:
		return mail.Errorf(mail.Elsewhere, "the account has moved")
	}
	return mail.Errorf(mail.NotFound, "no such account")
}

func (e *epoch) place(id mail.AccountID) (mail.Place, error) {
	var a accountRecord
	found, err := e.read(accountKey(keyAccount, id), a.decode)
	switch {
	case err != nil:
		return 0, err
	case found && a.fenced:
		return mail.Fenced, nil
	case found:
		return mail.Here, nil
	}
	return e.readPlace(id)
}

// Place implements mail.Movable.
func (s *Store) Place(_ context.Context, id mail.AccountID) (mail.Place, error) {
	e, err := s.enter()
	if err != nil {
		return 0, err
	}
	defer e.leave()
	return e.place(id)
}

// Entry implements mail.Movable.
func (s *Store) Entry(_ context.Context, id mail.AccountID) (mail.Account, error) {
	e, err := s.enter()
	if err != nil {
		return mail.Account{}, err
	}
	defer e.leave()
	place, err := e.place(id)
	if err != nil {
		return mail.Account{}, err
	}
	a, found, err := e.readEntry(id)
	if err == nil && (!found || place == mail.Nowhere) {
		err = mail.Errorf(mail.NotFound, "no such account")
	}
	return a, err
}

// marked notes in the batch that accounts move, the first time.
func (e *epoch) marked(b *pebble.Batch) error {
	var f format
	_, err := e.read(newKey(keyFormat), func(value []byte) error {
		v := values{b: value}
		f = format{v.uint(), v.uint()}
		return v.err()
	})
	if err != nil || f.features&featureMoves != 0 {
		return err
	}
	return b.Set(newKey(keyFormat), putUint(putUint(nil, f.version), f.features|featureMoves), nil)
}

// still runs a write of the directory while no commit of the account is under way.
func (s *Store) still(ctx context.Context, id mail.AccountID, fill func(*epoch, *pebble.Batch) error) error {
	e, err := s.enter()
	if err != nil {
		return err
	}
	defer e.leave()
	lock, err := e.locks.lock(ctx, id)
	if err != nil {
		return err
	}
	defer lock.unlock()
	return s.parting(ctx, id, fill)
}

// Fence implements mail.Movable.
func (s *Store) Fence(ctx context.Context, id mail.AccountID, on bool) error {
	return s.still(ctx, id, func(e *epoch, b *pebble.Batch) error {
		a, err := e.readAccount(id)
		if err != nil {
			return err
		}
		a.fenced = on
		b.Set(accountKey(keyAccount, id), a.encode(nil), nil)
		return e.marked(b)
	})
}

// Leave implements mail.Movable. Its name stays, so that who asks for it is told that it
// has moved.
func (s *Store) Leave(ctx context.Context, id mail.AccountID, now int64) error {
	return s.still(ctx, id, func(e *epoch, b *pebble.Batch) error {
		place, err := e.place(id)
		switch {
		case err != nil || place == mail.Left:
			return err
		case place != mail.Fenced:
			return mail.Errorf(mail.Invalid, "the account is not about to leave")
		}
		b.Delete(accountKey(keyAccount, id), nil)
		b.Set(accountKey(keyRemovedAccount, id), putInt(nil, now), nil)
		b.Set(accountKey(keyPlace, id), placeValue(mail.Left, now), nil)
		return nil
	})
}

// walk yields what decode makes of the keys of an account, from one on.
func walk[T any](s *Store, id mail.AccountID, prefix, from key, decode func(k, v []byte) (T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		e, err := s.enter()
		if err != nil {
			yield(none, err)
			return
		}
		defer e.leave()
		if _, err := e.readAccount(id); err != nil {
			yield(none, err)
			return
		}
		e.walk(prefix, from, func(k, v []byte, err error) bool {
			each := none
			if err == nil {
				each, err = decode(k, v)
			}
			return yield(each, err) && err == nil
		})
	}
}

// walk calls f for every key of a prefix from one on, and with an error at the end if there
// is one.
func (e *epoch) walk(prefix, from key, f func(k, v []byte, err error) bool) {
	it, err := e.db.NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: prefix.after()})
	if err != nil {
		f(nil, nil, readError(err))
		return
	}
	defer it.Close()
	for ok := it.SeekGE(from); ok; ok = it.Next() {
		v, err := it.ValueAndErr()
		if !f(it.Key(), v, readError(err)) {
			return
		}
	}
	if err := it.Error(); err != nil {
		f(nil, nil, readError(err))
	}
}

// messagesAtOnce is how many messages are read before they are yielded: who takes them may
// need long, and an open iterator keeps old files.
const messagesAtOnce = 256

// MessagesFrom implements mail.Movable.
func (s *Store) MessagesFrom(_ context.Context, id mail.AccountID, from mail.MessageID) iter.Seq2[*mail.Message, error] {
	prefix := accountKey(keyMessage, id)
	return func(yield func(*mail.Message, error) bool) {
		for page := []*mail.Message(nil); ; page = page[:0] {
			for m, err := range walk(s, id, prefix, slices.Clone(prefix).message(from), decodeMessageAt) {
				if err != nil {
					yield(nil, err)
					return
				}
				if page = append(page, m); len(page) == messagesAtOnce {
					break
				}
			}
			for _, m := range page {
				if !yield(m, nil) {
					return
				}
			}
			if len(page) < messagesAtOnce {
				return
			}
			from = page[len(page)-1].ID + 1
		}
	}
}

func decodeMessageAt(k, v []byte) (*mail.Message, error) {
	return decodeMessage(mail.MessageID(lastU64(k)), v)
}

// Expunges implements mail.Movable.
func (s *Store) Expunges(_ context.Context, id mail.AccountID, mailbox mail.MailboxID) iter.Seq2[mail.ExpungedUIDs, error] {
	return func(yield func(mail.ExpungedUIDs, error) bool) {
		var old []mail.ExpungedUIDs
		prefix := mailboxKey(keyExpungedOld, id, mailbox)
		merged := walk(s, id, prefix, prefix, func(_, v []byte) (e mail.ExpungedUIDs, err error) {
			e.ModSeq, e.UIDs, err = decodeOld(v)
			return e, err
		})
		for e, err := range merged {
			if err != nil {
				yield(e, err)
				return
			}
			old = append(old, e)
		}
		slices.SortStableFunc(old, func(a, b mail.ExpungedUIDs) int {
			return cmp.Compare(a.ModSeq, b.ModSeq)
		})
		for _, e := range old {
			if !yield(e, nil) {
				return
			}
		}
		prefix = mailboxKey(keyExpunged, id, mailbox)
		walk(s, id, prefix, prefix, func(k, b []byte) (e mail.ExpungedUIDs, err error) {
			v := values{b: b}
			e.ModSeq, _ = seqOf(k)
			e.UIDs = v.uids()
			return e, v.err()
		})(yield)
	}
}

// Outcomes implements mail.Movable. Their times are known to the hour.
func (s *Store) Outcomes(_ context.Context, id mail.AccountID, after mail.Version) iter.Seq2[mail.Outcome, error] {
	return func(yield func(mail.Outcome, error) bool) {
		e, err := s.enter()
		if err != nil {
			yield(mail.Outcome{}, err)
			return
		}
		defer e.leave()
		if _, err := e.readAccount(id); err != nil {
			yield(mail.Outcome{}, err)
			return
		}
		it, err := e.db.NewIter(&pebble.IterOptions{LowerBound: newKey(keyOutcome), UpperBound: newKey(keyOutcome).after()})
		if err != nil {
			yield(mail.Outcome{}, readError(err))
			return
		}
		defer it.Close()
		for ok := it.First(); ok; {
			hour := hourOf(it.Key())
			for ok = it.SeekGE(newKey(keyOutcome).u32(hour).account(id)); ok; ok = it.Next() {
				at, op := opOf(it.Key())
				if at != id || hourOf(it.Key()) != hour {
					break
				}
				v := values{b: it.Value()}
				o := mail.Outcome{Op: op, Version: mail.Version(v.uint()), At: int64(hour) * hourSeconds}
				if (o.Version > after || v.bad) && !yield(o, v.err()) || v.bad {
					return
				}
			}
			ok = it.SeekGE(newKey(keyOutcome).u32(hour + 1))
		}
		if err := it.Error(); err != nil {
			yield(mail.Outcome{}, readError(err))
		}
	}
}
