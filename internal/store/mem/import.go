package mem

import (
	"bytes"
	"context"
	"crypto/sha256"
	"io"
	"iter"
	"maps"
	"slices"

	"postfach/internal/mail"
)

// importing takes in one account.
type importing struct {
	store *Store
	id    mail.AccountID
	next  mail.MessageID
}

// Import implements mail.Movable.
func (s *Store) Import(_ context.Context, entry mail.Account) (mail.Import, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.usableLocked(); err != nil {
		return nil, err
	}
	if entry.ID == 0 || entry.ID>>63 != 0 || entry.Name == "" {
		return nil, mail.Errorf(mail.Invalid, "an account needs an id and a name")
	}
	if err := s.freeNameLocked(entry); err != nil {
		return nil, err
	}
	old := s.accounts[entry.ID]
	a := newAccount(entry)
	a.place = mail.Coming
	i := &importing{store: s, id: entry.ID, next: 1}
	switch old.placeNow() {
	case mail.Here, mail.Fenced:
		return nil, mail.Errorf(mail.Exists, "the account %s is here", entry.Name)
	case mail.Coming:
		a.messages = old.messages
		for number, m := range a.messages {
			m.rows = 0
			i.next = max(i.next, number+1)
		}
	}
	a.importer = i
	s.accounts[entry.ID] = a
	s.durableLocked()
	return i, nil
}

// freeNameLocked refuses a name that another account has. One that has left gives it up.
func (s *Store) freeNameLocked(entry mail.Account) error {
	id, taken := s.names[entry.Name]
	if taken && id != entry.ID && s.accounts[id].placeNow() != mail.Left {
		return mail.Errorf(mail.Exists, "the account %s exists", entry.Name)
	}
	return nil
}

// Next implements mail.Import.
func (i *importing) Next() mail.MessageID { return i.next }

// Close implements mail.Import.
func (i *importing) Close() error { return nil }

// with runs f on the account while it is still this import's.
func (i *importing) with(f func(*account) error) error {
	i.store.mu.Lock()
	defer i.store.mu.Unlock()
	if err := i.store.usableLocked(); err != nil {
		return err
	}
	a := i.store.accounts[i.id]
	if a == nil || a.importer != i {
		return mail.Errorf(mail.Conflict, "another import has begun")
	}
	return f(a)
}

// Message implements mail.Import.
func (i *importing) Message(_ context.Context, m *mail.Message, body io.Reader) error {
	b, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	if int64(len(b)) != m.Size || sha256.Sum256(b) != m.Digest {
		return mail.Errorf(mail.Corrupt, "the bytes of message %d are not those that came", m.ID)
	}
	return i.with(func(a *account) error {
		if m.ID < i.next {
			return mail.Errorf(mail.Invalid, "message ids do not ascend")
		}
		taken := &message{Message: *m}
		if taken.Body = (mail.Ref{Inline: true}); m.Size <= i.store.InlineBytesMax() {
			taken.inline = b
		} else {
			i.store.nextBlob++
			i.store.blobs[i.store.nextBlob] = &blob{account: i.id, bytes: b, finished: true}
			taken.Body = mail.Ref{Segment: i.store.nextBlob, Length: m.Size}
		}
		a.messages[m.ID] = taken
		i.next = m.ID + 1
		return nil
	})
}

// Mailbox implements mail.Import.
func (i *importing) Mailbox(_ context.Context, state mail.MailboxState, history iter.Seq2[mail.ExpungedUIDs, error]) error {
	var gone []expunged
	for e, err := range history {
		if err != nil {
			return err
		}
		gone = append(gone, expunged{e.ModSeq, slices.Clone(e.UIDs)})
	}
	return i.with(func(a *account) error {
		m := a.mailboxes[state.ID]
		if m == nil {
			m = &mailboxData{}
			a.mailboxes[state.ID] = m
		}
		m.state, m.expunged = state, gone
		return nil
	})
}

// Rows implements mail.Import.
func (i *importing) Rows(_ context.Context, mailbox mail.MailboxID, put []mail.Row, drop mail.UIDSet) error {
	return i.with(func(a *account) error {
		m := a.mailboxes[mailbox]
		if m == nil {
			return mail.Errorf(mail.NotFound, "no such mailbox")
		}
		for _, row := range put {
			message := a.messages[row.Message]
			if message == nil {
				return mail.Errorf(mail.NotFound, "no such message")
			}
			at, found := slices.BinarySearchFunc(m.rows, row.UID, func(r mail.Row, uid mail.UID) int { return int(int64(r.UID) - int64(uid)) })
			if found {
				m.rows[at] = row
				continue
			}
			message.rows++
			m.rows = slices.Insert(m.rows, at, row)
		}
		a.forget(m, drop)
		return nil
	})
}

// forget drops rows as if they had never been there.
func (a *account) forget(m *mailboxData, uids mail.UIDSet) {
	m.rows = slices.DeleteFunc(m.rows, func(row mail.Row) bool {
		gone := uids.Contains(row.UID)
		if gone {
			a.messages[row.Message].rows--
		}
		return gone
	})
}

// Drop implements mail.Import.
func (i *importing) Drop(_ context.Context, mailbox mail.MailboxID) error {
	return i.with(func(a *account) error {
		if m := a.mailboxes[mailbox]; m != nil {
			a.forget(m, mail.UIDSet{{First: 1, Last: uint32(mail.UIDMax)}})
			delete(a.mailboxes, mailbox)
		}
		return nil
	})
}

// StoredRows implements mail.Import.
func (i *importing) StoredRows(_ context.Context, mailbox mail.MailboxID) iter.Seq2[mail.Row, error] {
	return func(yield func(mail.Row, error) bool) {
		var rows []mail.Row
		err := i.with(func(a *account) error {
			if m := a.mailboxes[mailbox]; m != nil {
				rows = slices.Clone(m.rows)
			}
			return nil
		})
		yieldAll(yield, rows, err)
	}
}

// StoredMessages implements mail.Import.
func (i *importing) StoredMessages(context.Context) iter.Seq2[*mail.Message, error] {
	return func(yield func(*mail.Message, error) bool) {
		var all []*mail.Message
		err := i.with(func(a *account) error {
			all = a.messagesFrom(1)
			return nil
		})
		yieldAll(yield, all, err)
	}
}

// StoredBytes implements mail.Import.
func (i *importing) StoredBytes(_ context.Context, m *mail.Message) (r io.ReadCloser, err error) {
	err = i.with(func(a *account) error {
		b := a.messages[m.ID].inline
		if !m.Body.Inline {
			b = i.store.blobs[m.Body.Segment].bytes
		}
		r = io.NopCloser(bytes.NewReader(b))
		return nil
	})
	return r, err
}

// Outcomes implements mail.Import.
func (i *importing) Outcomes(_ context.Context, outcomes iter.Seq2[mail.Outcome, error]) error {
	known := map[mail.OpID]outcome{}
	for o, err := range outcomes {
		if err != nil {
			return err
		}
		known[o.Op] = outcome{version: o.Version, void: o.Version == 0, at: o.At}
	}
	return i.with(func(a *account) error {
		maps.Copy(a.outcomes, known)
		return nil
	})
}

// Finish implements mail.Import.
func (i *importing) Finish(_ context.Context, entry mail.Account, state *mail.AccountState, outcomes iter.Seq2[mail.Outcome, error]) error {
	if err := i.Outcomes(context.Background(), outcomes); err != nil {
		return err
	}
	return i.with(func(a *account) error {
		if err := a.addsUp(state); err != nil {
			return err
		}
		if err := i.store.freeNameLocked(entry); err != nil {
			return err
		}
		i.store.names[entry.Name] = entry.ID
		a.entry, a.place, a.importer = entry, mail.Here, nil
		a.version, a.nextMailbox, a.nextMessage = state.Version, state.NextMailbox, state.NextMessage
		a.lastUIDValidity, a.totals = state.LastUIDValidity, state.Totals
		for _, name := range state.Subscriptions {
			a.subscriptions[name] = true
		}
		for _, n := range state.Annotations {
			a.annotations[annotationKey{n.Mailbox, n.Name}] = n
		}
		a.keywordSets, a.logFrom = slices.Clone(state.KeywordSets), state.Version
		for number, m := range a.messages {
			if m.rows == 0 {
				delete(a.messages, number)
			}
		}
		i.store.durableLocked()
		return nil
	})
}

// addsUp compares what has been taken in with the counters of the account.
func (a *account) addsUp(state *mail.AccountState) error {
	conflict := mail.Errorf(mail.Conflict, "the copy does not add up to the account")
	var totals mail.Counters
	for _, want := range state.Mailboxes {
		m := a.mailboxes[want.ID]
		if m == nil || m.state != want {
			return conflict
		}
		var counted mail.Counters
		for _, row := range m.rows {
			counted.Add(mail.Count(row.Flags, row.Size))
			if row.UID >= want.UIDNext || row.ModSeq > want.HighestModSeq || row.Message >= state.NextMessage {
				return conflict
			}
		}
		if counted != want.Counters {
			return conflict
		}
		totals.Add(counted)
	}
	if totals != state.Totals || len(a.mailboxes) != len(state.Mailboxes) {
		return conflict
	}
	return nil
}
