package mailbox

import (
	"slices"

	"postfach/internal/mail"
)

// absorb takes a change into the state. It serves the account's own operations
// and those of other processes alike. A change for a mailbox that is not known any
// more is nothing to do.
func (s *state) absorb(c mail.Change) {
	switch c := c.(type) {
	case *mail.Appended:
		s.absorbAppended(c)
	case *mail.Copied:
		s.absorbCopied(c)
	case *mail.FlagsSet:
		s.absorbFlags(c)
	case *mail.Removed:
		s.absorbRemoved(c)
	case *mail.MailboxCreated:
		s.absorbCreated(c)
	case *mail.MailboxRenamed:
		s.absorbRenamed(c)
	case *mail.MailboxDeleted:
		s.absorbDeleted(c)
	case *mail.Subscribed:
		s.editTree().subscribe(c.Name, c.On)
	case *mail.Annotated:
		s.editTree().annotate(c)
	case *mail.KeywordSetAdded:
		if int(c.Set) == len(s.keywords.sets) {
			s.editKeywords().add(c.Keywords)
		}
	}
	s.current = max(s.current, c.Seq())
}

// count adds a change's difference to the mailbox and to the account, and makes the
// rows visible to the ops that follow in the group.
func (s *state) count(w *workingVersion, m mail.ModSeq, d mail.Counters) {
	s.totals.Add(d)
	if w == nil {
		return
	}
	w.version.state.HighestModSeq = max(w.version.state.HighestModSeq, m)
	if !w.knows(m) {
		w.version.state.Counters.Add(d)
	}
	if w.builder != nil {
		w.version.root = w.builder.root
	}
}

// knows tells whether the rows were loaded at or after a modification sequence, so
// that they have its changes already. Then only what concerns the whole account
// is left to absorb.
func (w *workingVersion) knows(m mail.ModSeq) bool { return m <= w.version.loadedAt }

func (s *state) absorbAppended(c *mail.Appended) {
	w := s.edit(c.Mailbox)
	for i := range c.Arrivals {
		row := c.Arrivals[i].Row
		s.nextMessage = max(s.nextMessage, row.Message+1)
		if w != nil {
			w.arrive(row)
		}
	}
	s.count(w, c.ModSeq, c.Delta)
}

func (s *state) absorbCopied(c *mail.Copied) {
	w := s.edit(c.Mailbox)
	for _, row := range c.Rows {
		if w != nil {
			w.arrive(row)
		}
	}
	s.count(w, c.ModSeq, c.Delta)
}

func (w *workingVersion) arrive(row mail.Row) {
	w.version.state.UIDNext = max(w.version.state.UIDNext, row.UID+1)
	if w.version.loaded && !w.knows(row.ModSeq) {
		w.rows().append(row)
	}
}

func (s *state) absorbFlags(c *mail.FlagsSet) {
	w := s.edit(c.Mailbox)
	if w != nil && w.version.loaded && !w.knows(c.ModSeq) {
		w.rows().setAll(c.UIDs, c.Flags, c.ModSeq)
	}
	s.count(w, c.ModSeq, c.Delta)
}

func (s *state) absorbRemoved(c *mail.Removed) {
	w := s.edit(c.Mailbox)
	if w != nil && w.version.loaded && !w.knows(c.ModSeq) {
		b := w.rows()
		eachMember(b.root, c.UIDs, func(u mail.UID) { b.remove(u) })
		w.version.lastRemoval = c.ModSeq
	}
	s.count(w, c.ModSeq, c.Delta)
}

// eachMember calls f for the UIDs of a set that the tree has; f may change the
// tree.
func eachMember(root *node, uids mail.UIDSet, f func(mail.UID)) {
	var members []mail.UID
	if len(uids) == 1 && uids[0].First == uids[0].Last {
		f(mail.UID(uids[0].First))
		return
	}
	eachRow(root, uids, func(leaf *node, i int) { members = append(members, leaf.uids[i]) })
	for _, u := range members {
		f(u)
	}
}

func (s *state) absorbCreated(c *mail.MailboxCreated) {
	m := newMailbox(c.State, mail.Ticket{})
	s.editTree().add(c.State.Name, m)
	s.work(m, m.head.Load())
	s.nextMailbox = max(s.nextMailbox, c.State.ID+1)
	s.lastUIDValidity = max(s.lastUIDValidity, c.State.UIDValidity)
}

func (s *state) absorbRenamed(c *mail.MailboxRenamed) {
	w := s.edit(c.Mailbox)
	if w == nil {
		return
	}
	t := s.editTree()
	t.drop(w.version.state.Name)
	t.add(c.Name, w.mailbox)
	w.version.state.Name = c.Name
	w.version.state.HighestModSeq = c.ModSeq
}

func (s *state) absorbDeleted(c *mail.MailboxDeleted) {
	s.totals.Add(c.Delta)
	w := s.edit(c.Mailbox)
	if w == nil {
		return
	}
	w.version.gone = true
	w.version.state.HighestModSeq = c.ModSeq
	t := s.editTree()
	t.drop(w.version.state.Name)
	t.unannotate(c.Mailbox)
}

// publish makes what the group has done the state that everybody sees.
func (s *state) publish(a *Account, t mail.Ticket) {
	for _, w := range s.working {
		if w.builder != nil {
			w.version.root = w.builder.freeze()
		}
		w.version.ticket = t
	}
	if s.ownTree {
		s.tree.Ticket = t
		s.tree.subscriptions = slices.Clip(s.tree.subscriptions)
		a.tree.Store(s.tree)
	}
	if s.ownKeywords {
		a.keywords.Store(s.keywords)
	}
	for _, w := range s.working {
		a.publish(w.mailbox, w.version)
	}
	s.ownTree, s.ownKeywords, s.working = false, false, nil
	s.ticket = t
	a.state = s
	a.bytes.Store(s.totals.Bytes)
	a.version.Store(uint64(s.current))
	a.latest.wake()
}
