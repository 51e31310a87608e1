package pebble

import (
	"context"
	"sync"

	"github.com/cockroachdb/pebble/v2"

	"postfach/internal/mail"
)

// imports are those under way, by account: a new one voids the one before.
type imports struct {
	mu sync.Mutex
	of map[mail.AccountID]*importing
}

func (i *imports) replace(id mail.AccountID, by *importing) (old *importing) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.of == nil {
		i.of = map[mail.AccountID]*importing{}
	}
	old = i.of[id]
	i.of[id] = by
	return old
}

// end forgets an import, unless there is a newer one.
func (i *imports) end(id mail.AccountID, was *importing) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.of[id] == was {
		delete(i.of, id)
	}
}

// importing takes in one account. What it has is in batches, so that memory is bounded;
// rows are written with the flags that they have now, without a log.
type importing struct {
	store *Store
	epoch *epoch // after its end, some of what was taken in may be lost
	id    mail.AccountID
	next  mail.MessageID

	mu        sync.Mutex // against a newer import
	ended     bool
	batch     *pebble.Batch
	large     []*largeBody // not durable yet
	mailboxes map[mail.MailboxID]*importedMailbox
}

// importBytes is how much is written at once: commits wait for it.
const importBytes = 256 << 10

// Import implements mail.Movable.
func (s *Store) Import(ctx context.Context, entry mail.Account) (mail.Import, error) {
	if entry.ID == 0 || entry.ID>>63 != 0 || entry.Name == "" {
		return nil, mail.Errorf(mail.Invalid, "an account needs an id and a name")
	}
	e, err := s.enter()
	if err != nil {
		return nil, err
	}
	defer e.leave()
	i := &importing{store: s, epoch: e, id: entry.ID, mailboxes: map[mail.MailboxID]*importedMailbox{}}
	if old := s.imports.replace(entry.ID, i); old != nil {
		old.void()
	}
	if err := i.begin(ctx, &entry); err != nil {
		i.Close()
		return nil, err
	}
	return i, nil
}

func (i *importing) begin(ctx context.Context, entry *mail.Account) error {
	if err := i.clear(ctx); err != nil {
		return err
	}
	err := i.store.direct(ctx, func(e *epoch, b *pebble.Batch) error {
		if err := e.canCome(entry); err != nil {
			return err
		}
		for _, kind := range perAccount {
			if kind != keyMessage && kind != keyInline {
				prefix := accountKey(kind, i.id)
				b.DeleteRange(prefix, prefix.after(), nil)
			}
		}
		b.Delete(accountKey(keyRemovedAccount, i.id), nil)
		b.Set(accountKey(keyEntry, i.id), entryValue(entry), nil)
		b.Set(accountKey(keyPlace, i.id), placeValue(mail.Coming, 0), nil)
		return e.marked(b)
	})
	if err != nil {
		return err
	}
	return i.findNext()
}

// canCome refuses an account that is here, and a name that another one has. One that has
// left gives its name up.
func (e *epoch) canCome(a *mail.Account) error {
	place, err := e.place(a.ID)
	if err != nil {
		return err
	}
	var owner mail.AccountID
	found, err := e.read(newKey(keyName).text(a.Name), func(b []byte) error {
		owner = mail.AccountID(lastU64(b))
		return nil
	})
	if err == nil && found && owner != a.ID {
		left := mail.Nowhere
		left, err = e.place(owner)
		found = left != mail.Left
	} else {
		found = false
	}
	if err == nil && (found || place == mail.Here || place == mail.Fenced) {
		err = mail.Errorf(mail.Exists, "the account %s exists", a.Name)
	}
	return err
}

// clear frees what is still there of an account that has left or was removed. Messages of
// an import that was broken off stay.
func (i *importing) clear(ctx context.Context) error {
	s, e := i.store, i.epoch
	s.sweeping.Lock()
	defer s.sweeping.Unlock()
	left, err := e.read(accountKey(keyRemovedAccount, i.id), ignore)
	if err != nil || !left {
		return err
	}
	w := &sweeper{ctx: ctx, e: e}
	return w.freeAccount(i.id)
}

func (i *importing) findNext() error {
	i.next = 1
	prefix := accountKey(keyMessage, i.id)
	it, err := i.epoch.db.NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: prefix.after()})
	if err != nil {
		return readError(err)
	}
	if it.Last() {
		i.next = mail.MessageID(lastU64(it.Key())) + 1
	}
	return readError(it.Close())
}

// Next implements mail.Import.
func (i *importing) Next() mail.MessageID { return i.next }

// use runs one call of the import.
func (i *importing) use(f func(e *epoch) error) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.ended {
		return mail.Errorf(mail.Conflict, "the import has ended")
	}
	e, err := i.store.enter()
	if err != nil {
		return err
	}
	defer e.leave()
	if e != i.epoch {
		return errAway
	}
	return f(e)
}

// room is the batch under way.
func (i *importing) room() *pebble.Batch {
	if i.batch == nil {
		i.batch = i.epoch.db.NewBatch()
	}
	return i.batch
}

// flush writes what has come together, bytes before those who refer to them.
func (i *importing) flush(ctx context.Context) error {
	if err := i.flushLarge(ctx); err != nil {
		return err
	}
	b := i.batch
	i.batch = nil
	var err error
	if b != nil {
		_, err = i.epoch.write(b)
	}
	i.releaseLarge()
	return err
}

// flushFull is flush when there is enough.
func (i *importing) flushFull(ctx context.Context) error {
	if i.batch == nil || i.batch.Len() < importBytes {
		return nil
	}
	return i.flush(ctx)
}

// void ends an import because of a newer one.
func (i *importing) void() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.ended = true
	i.releaseLarge()
	if i.batch != nil {
		i.batch.Close()
		i.batch = nil
	}
}

// Close implements mail.Import. What has come together is written, so that the next import
// need not take it in again.
func (i *importing) Close() error {
	err := i.use(func(*epoch) error { return i.flush(context.Background()) })
	if mail.Is(err, mail.Conflict) {
		err = nil // it has ended
	}
	i.void()
	i.store.imports.end(i.id, i)
	return err
}
