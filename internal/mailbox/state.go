package mailbox

import (
	"postfach/internal/mail"
)

// state is an account while a group of operations is being planned: what has been
// published, plus what the group has changed so far. Only the account's writer
// has one.
type state struct {
	limits          Limits
	current         mail.Version
	nextMailbox     mail.MailboxID
	nextMessage     mail.MessageID
	lastUIDValidity uint32
	totals          mail.Counters
	ticket          mail.Ticket // of the newest commit

	tree     *Tree
	keywords *Keywords

	ownTree     bool // tree is a clone of this group
	ownKeywords bool
	working     map[mail.MailboxID]*workingVersion
	room        runRoom // while a run is planned
}

// workingVersion is a mailbox that the group has changed.
type workingVersion struct {
	mailbox *Mailbox
	version *version
	builder *builder // nil until a row changes
}

// newState makes a state of what the store says, without any messages.
func newState(limits Limits, l *mail.AccountState) *state {
	t := &Tree{byID: make(map[mail.MailboxID]*Mailbox), Ticket: l.Ticket}
	t.annotations.of = make(map[mail.MailboxID][]mail.Annotation)
	for _, m := range l.Mailboxes {
		t.add(m.Name, newMailbox(m, l.Ticket))
	}
	for _, name := range l.Subscriptions {
		t.subscribe(name, true)
	}
	for _, n := range l.Annotations {
		t.annotations.of[n.Mailbox] = append(t.annotations.of[n.Mailbox], n)
		t.annotations.bytes += annotationBytes(&n)
	}
	s := &state{
		limits: limits, current: l.Version, nextMailbox: max(l.NextMailbox, 1), nextMessage: max(l.NextMessage, 1),
		lastUIDValidity: l.LastUIDValidity, totals: l.Totals, ticket: l.Ticket,
		tree: t, keywords: newKeywords(l.KeywordSets),
	}
	if len(l.KeywordSets) == 0 {
		s.keywords.add(nil)
	}
	return s
}

// version returns a mailbox as the group sees it, or nil.
func (s *state) version(id mail.MailboxID) *version {
	if w := s.working[id]; w != nil {
		return w.version
	}
	if m := s.tree.ByID(id); m != nil {
		return m.head.Load()
	}
	return nil
}

// lookup finds a mailbox by name as the group sees it, or nil.
func (s *state) lookup(name string) *version {
	if m := s.tree.Lookup(name); m != nil {
		return s.version(m.ID)
	}
	return nil
}

// begin copies the published state for a group. The copy is shallow: trees and
// versions are immutable.
func (s *state) begin() *state {
	c := *s
	c.ownTree, c.ownKeywords, c.working = false, false, nil
	return &c
}

// edit returns the working version of a mailbox, which the group may change.
func (s *state) edit(id mail.MailboxID) *workingVersion {
	if w := s.working[id]; w != nil {
		return w
	}
	m := s.tree.ByID(id)
	if m == nil {
		return nil
	}
	return s.work(m, m.head.Load())
}

func (s *state) work(m *Mailbox, from *version) *workingVersion {
	v := *from
	w := &workingVersion{mailbox: m, version: &v}
	if s.working == nil {
		s.working = make(map[mail.MailboxID]*workingVersion, 1)
	}
	s.working[m.ID] = w
	return w
}

// rows returns the builder for the mailbox's rows.
func (w *workingVersion) rows() *builder {
	if w.builder == nil {
		w.builder = newBuilder(w.version.root, false)
	}
	return w.builder
}

func (s *state) editTree() *Tree {
	if !s.ownTree {
		s.tree, s.ownTree = s.tree.clone(), true
	}
	return s.tree
}

func (s *state) editKeywords() *Keywords {
	if !s.ownKeywords {
		s.keywords, s.ownKeywords = s.keywords.clone(), true
	}
	return s.keywords
}
