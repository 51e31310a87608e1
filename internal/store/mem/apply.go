package mem

import (
	"slices"
	"sort"

	"postfach/internal/mail"
)

// apply does one change that check has found possible.
func (a *account) apply(change mail.Change, now int64) {
	a.version = change.Seq()
	switch c := change.(type) {
	case *mail.MailboxCreated:
		a.mailboxes[c.State.ID] = &mailboxData{state: c.State}
		a.nextMailbox = max(a.nextMailbox, c.State.ID+1)
		a.lastUIDValidity = max(a.lastUIDValidity, c.State.UIDValidity)
		return
	case *mail.Subscribed:
		if c.On {
			a.subscriptions[c.Name] = true
		} else {
			delete(a.subscriptions, c.Name)
		}
		return
	case *mail.KeywordSetAdded:
		a.keywordSets = append(a.keywordSets, slices.Clone(c.Keywords))
		return
	}
	if c, ok := change.(*mail.Annotated); ok {
		k := annotationKey{c.Mailbox, c.Name}
		if delete(a.annotations, k); !c.Gone {
			a.annotations[k] = mail.Annotation{Mailbox: c.Mailbox, Name: c.Name, Value: c.Value, ModSeq: c.ModSeq}
		}
		return
	}
	m := a.mailboxes[mailboxOf(change)]
	m.state.HighestModSeq = change.Seq()
	switch c := change.(type) {
	case *mail.Appended:
		for _, arrival := range c.Arrivals {
			a.messages[arrival.Message.ID] = &message{Message: *arrival.Message, inline: slices.Clone(arrival.Inline)}
			a.nextMessage = max(a.nextMessage, arrival.Message.ID+1)
			a.add(m, arrival.Row)
		}
		a.count(m, c.Delta)
	case *mail.Copied:
		for _, row := range c.Rows {
			a.add(m, row)
		}
		a.count(m, c.Delta)
	case *mail.FlagsSet:
		m.each(c.UIDs, func(row *mail.Row) { row.Flags, row.ModSeq = c.Flags, c.ModSeq })
		a.count(m, c.Delta)
	case *mail.Removed:
		m.remove(c, now)
		a.count(m, c.Delta)
	case *mail.MailboxRenamed:
		m.state.Name = c.Name
	case *mail.MailboxDeleted:
		m.deleted, m.deletedAt = true, now
		a.totals.Add(c.Delta)
	}
}

func (a *account) add(m *mailboxData, row mail.Row) {
	if message := a.messages[row.Message]; message != nil {
		message.rows++
	}
	m.rows = append(m.rows, row)
	m.state.UIDNext = row.UID + 1
}

func (a *account) count(m *mailboxData, delta mail.Counters) {
	m.state.Counters.Add(delta)
	a.totals.Add(delta)
}

// each calls f for the rows that are there.
func (m *mailboxData) each(uids mail.UIDSet, f func(*mail.Row)) {
	for _, r := range uids {
		i := sort.Search(len(m.rows), func(i int) bool { return uint32(m.rows[i].UID) >= r.First })
		for ; i < len(m.rows) && uint32(m.rows[i].UID) <= r.Last; i++ {
			f(&m.rows[i])
		}
	}
}

func (m *mailboxData) remove(c *mail.Removed, now int64) {
	t := tombstone{modSeq: c.ModSeq, at: now}
	m.each(c.UIDs, func(row *mail.Row) { t.rows = append(t.rows, *row) })
	m.rows = slices.DeleteFunc(m.rows, func(row mail.Row) bool { return c.UIDs.Contains(row.UID) })
	m.gone = append(m.gone, t)
	m.expunged = append(m.expunged, expunged{c.ModSeq, slices.Clone(c.UIDs)})
}

// remember keeps the changes for Since.
func (a *account) remember(changes []mail.Change) {
	a.log = append(a.log, logged{a.version, slices.Clone(changes)})
	if n := len(a.log) - logMax; n > 0 {
		a.logFrom = a.log[n-1].version
		a.log = slices.Delete(a.log, 0, n)
	}
}

// since returns the changes after a version, or false when the log does not reach back.
func (a *account) since(v mail.Version) ([]mail.Change, bool) {
	if v < a.logFrom {
		return nil, false
	}
	var all []mail.Change
	for _, l := range a.log {
		if l.version > v {
			all = append(all, l.changes...)
		}
	}
	return all, true
}

func (a *account) conflict(at mail.Version) error {
	missed, ok := a.since(at)
	return &mail.ConflictError{Version: a.version, Missed: missed, TooOld: !ok}
}
