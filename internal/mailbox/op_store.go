package mailbox

import (
	"postfach/internal/mail"
)

// StoreMode says how the flags of a STORE are combined with those a message has
// (RFC 9051 6.4.6).
type StoreMode uint8

const (
	Replace StoreMode = iota
	Add
	Remove
)

// FlagChange is what STORE does to the flags of a message.
type FlagChange struct {
	Mode     StoreMode
	System   mail.Flags
	Keywords []string
}

// Store changes flags. Result: ModSeq (0 when all had these flags already), Source
// (the messages that are there and passed the test), Missing, Modified.
type Store struct {
	Mailbox mail.MailboxID
	UIDs    mail.UIDSet
	Change  FlagChange
	// UnchangedSince, when Test is set, leaves messages alone whose modification
	// sequence is above it (RFC 7162 3.1.3).
	Test           bool
	UnchangedSince mail.ModSeq
}

func (op *Store) plan(s *state, m mail.ModSeq) ([]mail.Change, Result, error) {
	v, err := needMailbox(s, op.Mailbox)
	if err != nil {
		return nil, Result{}, err
	}
	p := flagPlan{state: s, change: &op.Change, out: s.room.changes(m), groups: s.room.groups[:0]}
	var r Result
	r.Missing = eachRow(v.root, op.UIDs, func(leaf *node, i int) {
		u := leaf.uids[i]
		if op.Test && leaf.modseqs[i] > op.UnchangedSince {
			r.Modified = r.Modified.Append(u)
			return
		}
		if r.Source == nil {
			r.Source = s.room.uid(u)
		} else {
			r.Source = r.Source.Append(u)
		}
		p.row(u, leaf.flags[i])
	})
	if p.err != nil {
		return nil, Result{}, p.err
	}
	return p.changes(op.Mailbox), r, nil
}

// flagPlan groups the messages of a STORE by the flags that they will have, so
// that a thousand messages are one change, or a few.
type flagPlan struct {
	state  *state
	change *FlagChange
	out    *changes
	groups []flagGroup
	sets   map[uint32]uint32 // keyword set before -> after
	added  uint32            // sets that this plan adds
	names  map[string]bool   // folded keywords that this plan adds
	err    error
}

type flagGroup struct {
	flags mail.Flags
	uids  mail.UIDSet
	delta mail.Counters
}

func (p *flagPlan) row(u mail.UID, old mail.Flags) {
	if p.err != nil {
		return
	}
	flags := p.apply(old)
	if flags == old {
		return
	}
	delta := mail.Count(flags, 0)
	delta.Add(mail.Count(old, 0).Negative())
	for i := range p.groups {
		if g := &p.groups[i]; g.flags == flags {
			g.uids = g.uids.Append(u)
			g.delta.Add(delta)
			return
		}
	}
	p.groups = append(p.groups, flagGroup{flags, p.state.room.uid(u), delta})
}

// apply returns a message's flags after the change.
func (p *flagPlan) apply(old mail.Flags) mail.Flags {
	system := old.System()
	switch p.change.Mode {
	case Replace:
		system = p.change.System
	case Add:
		system |= p.change.System
	case Remove:
		system &^= p.change.System
	}
	return system.WithKeywordSet(p.keywordSet(old.KeywordSet()))
}

func (p *flagPlan) keywordSet(old uint32) uint32 {
	if p.change.Mode != Replace && len(p.change.Keywords) == 0 || p.err != nil {
		return old
	}
	if set, ok := p.sets[old]; ok {
		return set
	}
	folded := p.state.keywords.combine(old, p.change.Mode, p.change.Keywords)
	set, err := p.intern(folded)
	if err != nil {
		p.err = err
		return old
	}
	if p.sets == nil {
		p.sets = make(map[uint32]uint32)
	}
	p.sets[old] = set
	return set
}

// intern returns the number of a set of keywords, and adds the set when it is
// new.
func (p *flagPlan) intern(folded []string) (uint32, error) {
	k := p.state.keywords
	if set, ok := k.index[keywordKey(folded)]; ok {
		return set, nil
	}
	for _, c := range p.out.list {
		if c, ok := c.(*mail.KeywordSetAdded); ok && sameFolded(c.Keywords, folded) {
			return c.Set, nil
		}
	}
	if len(folded) > mail.KeywordsPerMessageMax {
		return 0, mail.Errorf(mail.Limit, "a message can have %d keywords at most", mail.KeywordsPerMessageMax)
	}
	for _, f := range folded {
		if _, known := k.names[f]; !known && !p.names[f] {
			if p.names == nil {
				p.names = make(map[string]bool)
			}
			p.names[f] = true
		}
	}
	set := uint32(len(k.sets)) + p.added
	if len(k.names)+len(p.names) > mail.KeywordsMax || set >= mail.KeywordSetsMax {
		return 0, mail.Errorf(mail.Limit, "an account can have %d keywords at most", mail.KeywordsMax)
	}
	p.added++
	p.out.list = append(p.out.list, &mail.KeywordSetAdded{Stamped: p.out.stamp, Set: set, Keywords: k.spell(folded, p.change.Keywords)})
	return set, nil
}

func sameFolded(names, folded []string) bool {
	if len(names) != len(folded) {
		return false
	}
	for i := range names {
		if foldKeyword(names[i]) != folded[i] {
			return false
		}
	}
	return true
}

func (p *flagPlan) changes(id mail.MailboxID) []mail.Change {
	for _, g := range p.groups {
		c := p.state.room.flagsSet()
		*c = mail.FlagsSet{Stamped: p.out.stamp, Mailbox: id, UIDs: g.uids, Flags: g.flags, Delta: g.delta}
		p.out.list = append(p.out.list, c)
	}
	p.state.room.groups = p.groups[:0]
	return p.out.list
}

// initialFlags returns the flags of a message that arrives.
func (p *flagPlan) initialFlags() (mail.Flags, error) {
	f := p.apply(0)
	return f, p.err
}
