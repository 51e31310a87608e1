package mailbox

import (
	"context"
	"sync/atomic"

	"postfach/internal/mail"
)

// View is a session's picture of its selected mailbox: the numbering (the UIDs
// that its client counts) and the head that it reads data from. A message that the
// client counts and that is gone is a ghost: it keeps its number until the client
// has been told.
//
// A View belongs to one session and is not safe for concurrent use.
type View struct {
	ReadOnly bool

	account *Account
	mailbox *Mailbox
	onNews  func()

	head       *version
	numbering  *node       // rows that the client counts; the data of ghosts is here
	ghosts     mail.UIDSet // UIDs of the numbering that the head has not
	ghostCount uint32
	toldNext   mail.UID    // the client knows of all arrivals below
	toldModSeq mail.ModSeq // the client knows of all changes of flags up to here
	flagsNext  mail.UID    // toldNext at that time
	arrivals   mail.Range  // told last
	arrivedAt  mail.ModSeq // HIGHESTMODSEQ when arrivals from flagsNext on were told: older flags of theirs are no news
	withheld   mail.ModSeq // the head's HIGHESTMODSEQ before the first ghost
	allTold    mail.ModSeq // HIGHESTMODSEQ when the client last knew everything
	behind     bool        // Tell has kept other things than expunges back
	own        []ownChange // by modification sequence
	recent     mail.UIDSet // what is \Recent in this session

	pin atomic.Uint64 // what was expunged after this modification sequence stays in the store
}

// Select opens a view of a mailbox. A read-write view claims what is \Recent (RFC
// 3501 2.3.2). onNews, if any, is called after every change of the mailbox or the
// end of the account, by whoever made it: it must not block and not call back.
func (a *Account) Select(ctx context.Context, m *Mailbox, readOnly bool, onNews func()) (*View, error) {
	v := &View{ReadOnly: readOnly, account: a, mailbox: m, onNews: onNews}
	v.pin.Store(0) // until the head is chosen, nothing may be swept
	a.attach(v)    // from now on its messages stay loaded
	if !m.head.Load().loaded {
		err := a.takeTurn(ctx)
		if err == nil {
			err = a.loadRows(ctx, m.ID)
			a.endTurn()
		}
		if err != nil {
			v.Close()
			return nil, err
		}
	}
	head := m.head.Load()
	if head.gone || !head.loaded {
		v.Close()
		return nil, mail.Errorf(mail.NotFound, "no such mailbox")
	}
	v.head = head
	v.number()
	v.toldNext, v.toldModSeq = head.state.UIDNext, head.state.HighestModSeq
	v.flagsNext = v.toldNext
	v.claim(1, head.state.UIDNext)
	return v, nil
}

func (a *Account) attach(v *View) {
	a.mailboxesMu.Lock()
	a.viewed[v.mailbox.ID] = v.mailbox
	a.mailboxesMu.Unlock()
	v.mailbox.viewsMu.Lock()
	v.mailbox.views[v] = struct{}{}
	v.mailbox.viewsMu.Unlock()
}

// Close ends the view.
func (v *View) Close() {
	m := v.mailbox
	v.account.mailboxesMu.Lock()
	defer v.account.mailboxesMu.Unlock()
	m.viewsMu.Lock()
	defer m.viewsMu.Unlock()
	delete(m.views, v)
	if len(m.views) == 0 {
		delete(v.account.viewed, m.ID)
	}
}

// number makes the numbering that of the head: the client knows all that is there
// and nothing else.
func (v *View) number() {
	v.numbering = v.head.root
	v.ghosts, v.ghostCount = nil, 0
	v.withheld = v.head.state.HighestModSeq
	v.allTold = v.withheld
	v.pin.Store(uint64(v.withheld))
}

// claim makes the arrivals from one UID to before another \Recent in this view, as
// far as nobody has claimed them; EXAMINE only looks (RFC 3501 6.3.2).
func (v *View) claim(from, next mail.UID) {
	first := mail.UID(v.mailbox.recentFrom.Load())
	if !v.ReadOnly {
		if first = v.mailbox.claimRecent(next); first < next {
			// Lazily: it may be lost, so nobody waits and an error changes nothing.
			_ = v.account.engine.store.SetRecent(context.Background(), v.account.ID, v.mailbox.ID, next)
		}
	}
	if first = max(first, from); first < next {
		v.recent = append(v.recent, mail.Range{First: uint32(first), Last: uint32(next - 1)}).Normalize()
	}
}

// Mailbox is the mailbox that the view stands on.
func (v *View) Mailbox() *Mailbox { return v.mailbox }

// State is the mailbox's state at the head. Before any of it is told, wait for
// Ticket.
func (v *View) State() mail.MailboxState { return v.head.state }

// Ticket is what has to be durable before anything read from the view is told.
func (v *View) Ticket() mail.Ticket { return v.head.ticket }

// Gone tells that the mailbox has been deleted.
func (v *View) Gone() bool { return v.head.gone }

// HighestModSeq is the value that may be announced: never above a withheld expunge
// (RFC 7162 3.2), or above anything else that Tell was not to tell.
func (v *View) HighestModSeq() mail.ModSeq {
	switch {
	case v.behind:
		return v.allTold
	case v.ghostCount > 0:
		return v.withheld
	}
	return v.head.state.HighestModSeq
}

// Withholds tells that the client counts messages that are gone, or does not know other
// things that are below the newest that it knows.
func (v *View) Withholds() bool { return v.ghostCount > 0 || v.behind }

// Exists is the number of messages that the client counts.
func (v *View) Exists() uint32 { return v.numbering.len() }

// Recent is how many of them are \Recent in this session.
func (v *View) Recent() uint32 {
	var n uint32
	for _, r := range v.recent {
		n += v.numbering.rank(mail.UID(r.Last)) - v.numbering.rank(mail.UID(r.First))
		if leaf, _ := v.numbering.find(mail.UID(r.Last)); leaf != nil {
			n++
		}
	}
	return n
}

// FirstUnseen is the number of the first message without \Seen, 0 when there is none.
func (v *View) FirstUnseen() uint32 {
	seq, _ := v.Seq(v.head.root.firstUnseen())
	return seq
}

// LastUID is the UID that "*" means, 0 in an empty mailbox.
func (v *View) LastUID() mail.UID {
	if v.numbering.len() == 0 {
		return 0
	}
	return v.numbering.last()
}

// Refresh makes the newest version the head and tells whether there is anything
// to tell: changes of flags and arrivals are read from the head at once,
// expunges become ghosts.
func (v *View) Refresh() bool {
	if head := v.mailbox.head.Load(); head != v.head {
		if head.lastRemoval > v.head.state.HighestModSeq {
			v.haunt(head)
		}
		v.head = head
		if v.ghostCount == 0 && head.state.UIDNext <= v.toldNext {
			v.numbering = head.root // the same messages: a walk over both is one over one
		}
	}
	st := &v.head.state
	return v.ghostCount > 0 || v.head.gone || st.HighestModSeq > v.toldModSeq || st.UIDNext > v.toldNext
}

// haunt turns the messages that a new head has no more into ghosts, which keep the
// last data that this view has seen.
func (v *View) haunt(head *version) {
	var b *builder
	before := v.ghostCount
	eachRemoved(v.head.root, head.root, func(leaf *node, i int) {
		row := leaf.row(i)
		if row.UID >= v.toldNext {
			return // came and went before the client was told of it
		}
		v.ghosts = v.ghosts.Append(row.UID)
		v.ghostCount++
		if at, k := v.numbering.find(row.UID); at.modseqs[k] != row.ModSeq {
			if b == nil {
				b = newBuilder(v.numbering, true)
			}
			b.set(row.UID, row.Flags, row.ModSeq)
		}
	})
	if b != nil {
		v.numbering = b.freeze()
	}
	if v.ghostCount > before {
		v.ghosts = v.ghosts.Normalize()
		if before == 0 {
			v.withheld = v.head.state.HighestModSeq
		}
	}
}
