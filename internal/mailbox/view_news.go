package mailbox

import (
	"cmp"
	"slices"

	"postfach/internal/mail"
)

// Teller says news to a client, in the order in which Tell calls it.
type Teller interface {
	// Expunged: these messages, which have numbers for the last time (EachGhost), are
	// gone.
	Expunged(v *View)
	// Arrived: the client counts v.Exists messages now, v.Recent of them \Recent.
	Arrived(v *View)
	// Flagged: a message that the client knows has other flags now, by others than this
	// session's own command, which has told or silenced it.
	Flagged(r *Row)
}

// ownChange is a STORE of this session whose outcome the client can work out by
// itself.
type ownChange struct {
	modSeq mail.ModSeq
	change FlagChange
	silent bool
	before *version
}

// Own says that the change with a modification sequence was this session's: Tell
// will not repeat it, unless it was silent and another session's change made the
// outcome one that the client can't know. It must be called before the Refresh
// that shows the change.
func (v *View) Own(m mail.ModSeq, change FlagChange, silent bool) {
	if m != 0 {
		v.own = append(v.own, ownChange{m, change, silent, v.head})
	}
}

// Disown makes the changes of this session news.
func (v *View) Disown() { v.own = nil }

// TellArrivals tells of new messages. It may be done at any time (RFC 9051 7.3.1
// has no exception), and before a command runs that could name their UIDs.
func (v *View) TellArrivals(t Teller) {
	next := v.head.state.UIDNext
	if next <= v.toldNext {
		return
	}
	from := v.toldNext
	if from == v.flagsNext {
		v.arrivedAt = v.head.state.HighestModSeq
	}
	v.toldNext = next
	v.arrivals = mail.Range{First: uint32(from), Last: uint32(next - 1)}
	// Some may have come and gone before the client was told of them.
	arrived := v.head.root.rank(from) < v.head.root.len()
	if v.ghostCount == 0 {
		v.numbering = v.head.root
	} else if arrived {
		v.countArrivals(from)
	}
	if arrived {
		v.claim(from, next)
		t.Arrived(v)
	}
}

// Arrivals is the range of UIDs in which the messages are that Arrived has been called for
// last.
func (v *View) Arrivals() mail.Range { return v.arrivals }

// countArrivals appends the arrivals to a numbering that has ghosts.
func (v *View) countArrivals(from mail.UID) {
	b := newBuilder(v.numbering, true)
	var c cursor
	for c.seekUID(v.head.root, from); c.row(); c.next() {
		b.append(c.leaf.row(c.i))
	}
	v.numbering = b.freeze()
}

// News is a set of kinds of news.
type News uint8

const (
	// Expunges may not always be told (RFC 9051 7.5.1).
	Expunges News = 1 << iota
	Arrivals
	FlagChanges

	AllNews = Expunges | Arrivals | FlagChanges
)

// Tell tells all of these kinds that the client does not know. The other kinds stay
// untold: what has arrived is not counted, what is gone keeps its number.
func (v *View) Tell(t Teller, kinds News) {
	if kinds&Expunges != 0 && v.ghostCount > 0 {
		t.Expunged(v)
		v.dropGhosts(kinds&Arrivals != 0)
	}
	known := v.toldNext
	if kinds&Arrivals != 0 {
		v.TellArrivals(t)
	}
	if kinds&FlagChanges != 0 {
		if since := v.toldModSeq; v.head.state.HighestModSeq > since {
			v.toldModSeq = v.head.state.HighestModSeq
			v.tellFlags(t, since, known)
		}
		v.flagsNext = v.toldNext
	}
	v.forgetOwn()
	v.settle()
}

func (v *View) forgetOwn() {
	clear(v.own)
	v.own = v.own[:0]
}

// Rest gives back what is made again when it is needed.
func (v *View) Rest() {
	if len(v.own) == 0 {
		v.own = nil
	}
}

// dropGhosts takes the ghosts, which have been told, out of the numbering. With
// arrivals, what has arrived is told next.
func (v *View) dropGhosts(arrivals bool) {
	if arrivals || v.toldNext >= v.head.state.UIDNext {
		v.numbering = v.head.root
	} else {
		b := newBuilder(v.numbering, true)
		for _, r := range v.ghosts {
			eachMember(v.numbering, mail.UIDSet{r}, func(u mail.UID) { b.remove(u) })
		}
		v.numbering = b.freeze()
	}
	v.ghosts, v.ghostCount = nil, 0
}

// settle holds on to no more than what the client has not been told yet.
func (v *View) settle() {
	st := &v.head.state
	arrivals := v.toldNext < st.UIDNext
	v.behind = arrivals || v.toldModSeq < st.HighestModSeq
	switch {
	case v.ghostCount > 0:
	case !v.behind:
		v.number()
	default:
		if !arrivals {
			v.numbering = v.head.root
		}
		v.pin.Store(uint64(st.HighestModSeq))
	}
}

// tellFlags tells of changed flags of messages that the client knew before.
func (v *View) tellFlags(t Teller, since mail.ModSeq, known mail.UID) {
	var own ownChange // the last one met
	eachNewer(v.head.root, since, func(leaf *node, i int) {
		u, m := leaf.uids[i], leaf.modseqs[i]
		if u >= known || u >= v.flagsNext && m <= v.arrivedAt {
			return
		}
		if m != own.modSeq {
			own = v.ownAt(m)
		}
		if own.modSeq == m && v.expected(&own, leaf, i, since) {
			return
		}
		t.Flagged(&Row{
			Seq: v.numbering.rank(u) + 1, UID: u, Flags: leaf.flags[i], ModSeq: m, Fixed: &leaf.fixed[i], Recent: v.recent.Contains(u),
		})
	})
}

// ownAt finds the change of this session with a modification sequence.
func (v *View) ownAt(m mail.ModSeq) ownChange {
	i, found := slices.BinarySearchFunc(v.own, m, func(o ownChange, m mail.ModSeq) int { return cmp.Compare(o.modSeq, m) })
	if !found {
		return ownChange{}
	}
	return v.own[i]
}

// expected tells whether a row is as the client knows from its own command, when it
// has been told of changes up to a modification sequence.
func (v *View) expected(o *ownChange, at *node, i int, told mail.ModSeq) bool {
	if !o.silent {
		return true
	}
	leaf, k := o.before.root.find(at.uids[i])
	return leaf != nil && leaf.modseqs[k] <= told && v.account.Keywords().after(leaf.flags[k], &o.change) == at.flags[i]
}

// after returns what flags become by a change whose keywords are all known.
func (k *Keywords) after(old mail.Flags, c *FlagChange) mail.Flags {
	p := flagPlan{state: &state{keywords: k}, change: c, out: stampedAt(0)}
	return p.apply(old)
}

// Ghosts are the UIDs of the messages that are about to be told as expunged. They must not
// be changed.
func (v *View) Ghosts() mail.UIDSet { return v.ghosts }

// EachGhost calls f for every message that is about to be told as expunged,
// descending, so that each number is right when the ones before have been told.
func (v *View) EachGhost(f func(seq uint32, u mail.UID)) {
	for i := len(v.ghosts) - 1; i >= 0; i-- {
		r := v.ghosts[i]
		for u := r.Last; u >= r.First && u != 0; u-- {
			if leaf, _ := v.numbering.find(mail.UID(u)); leaf != nil {
				f(v.numbering.rank(mail.UID(u))+1, mail.UID(u))
			}
		}
	}
}
