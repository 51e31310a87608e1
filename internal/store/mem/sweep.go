package mem

import (
	"context"
	"maps"
	"strings"

	"postfach/internal/mail"
)

// outcomeSeconds is how long the outcome of a commit is kept.
const outcomeSeconds = 24 * 60 * 60

// Sweep implements mail.Store.
func (s *Store) Sweep(_ context.Context, sweep mail.Sweep) (mail.Swept, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var swept mail.Swept
	if err := s.usableLocked(); err != nil {
		return swept, err
	}
	for id, a := range s.accounts {
		old := a.removed && a.removedAt < sweep.Before || a.place == mail.Left && a.leftAt < sweep.Before
		for mailbox, m := range a.mailboxes {
			pin := ^mail.ModSeq(0)
			if sweep.Pinned != nil {
				pin = sweep.Pinned(id, mailbox)
			}
			s.sweepMailbox(a, m, sweep, pin, &swept)
			whole := m.deleted && m.deletedAt < sweep.Before && m.state.HighestModSeq <= pin
			if whole || old && pin == ^mail.ModSeq(0) {
				delete(a.mailboxes, mailbox)
				maps.DeleteFunc(a.annotations, func(k annotationKey, _ mail.Annotation) bool { return k.mailbox == mailbox })
				a.free(m.rows, sweep, &swept)
				for _, t := range m.gone {
					a.free(t.rows, sweep, &swept)
				}
			}
		}
		maps.DeleteFunc(a.outcomes, func(_ mail.OpID, o outcome) bool { return o.at < sweep.Now-outcomeSeconds })
		if a.removed && a.removedAt < sweep.Before && len(a.mailboxes) == 0 {
			delete(s.accounts, id)
		}
	}
	s.sweepBlobsLocked(&swept)
	s.durableLocked()
	return swept, nil
}

func (s *Store) sweepMailbox(a *account, m *mailboxData, sweep mail.Sweep, pin mail.ModSeq, swept *mail.Swept) {
	kept := m.gone[:0:0]
	for _, t := range m.gone {
		if t.at >= sweep.Before || t.modSeq > pin {
			kept = append(kept, t)
			continue
		}
		a.free(t.rows, sweep, swept)
	}
	m.gone = kept
}

// free drops rows, and the messages that were only there for them.
func (a *account) free(rows []mail.Row, sweep mail.Sweep, swept *mail.Swept) {
	for _, row := range rows {
		swept.Messages++
		m := a.messages[row.Message]
		if m == nil {
			continue
		}
		if m.rows--; m.rows > 0 {
			continue
		}
		swept.Messages++
		if m.Body.Inline {
			swept.Bytes += int64(len(m.inline))
		}
		delete(a.messages, row.Message)
		if sweep.Derived != nil {
			for _, prefix := range sweep.Derived(row.Message) {
				maps.DeleteFunc(a.derived, func(key string, _ []byte) bool { return strings.HasPrefix(key, prefix) })
			}
		}
	}
}

// sweepBlobsLocked drops the bytes that no message refers to and no upload leases.
func (s *Store) sweepBlobsLocked(swept *mail.Swept) {
	used := map[uint64]bool{}
	for _, a := range s.accounts {
		for _, m := range a.messages {
			used[m.Body.Segment] = true
		}
	}
	for number, b := range s.blobs {
		if !b.leased && !used[number] {
			swept.Bytes += int64(len(b.bytes))
			swept.Segments++
			delete(s.blobs, number)
		}
	}
}
