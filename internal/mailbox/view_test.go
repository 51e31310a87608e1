package mailbox

import (
	"flag"
	"math/rand/v2"
	"slices"
	"testing"

	"postfach/internal/mail"
)

var viewSteps = flag.Int("view.steps", 100_000, "random steps of TestViewsNeverLie")

// belief is what a client believes of its mailbox: only from what it has been told.
type belief struct {
	t     *testing.T
	view  *View
	uids  []mail.UID // by number
	flags map[mail.UID]mail.Flags
}

func (b *belief) Expunged(v *View) {
	last := uint32(len(b.uids)) + 1
	v.EachGhost(func(seq uint32, u mail.UID) {
		if seq >= last || seq == 0 {
			b.t.Fatalf("EXPUNGE %d after EXPUNGE %d", seq, last)
		}
		last = seq
		if b.uids[seq-1] != u {
			b.t.Fatalf("EXPUNGE %d is UID %d, the client counts %d there", seq, u, b.uids[seq-1])
		}
		b.uids = slices.Delete(b.uids, int(seq-1), int(seq))
		delete(b.flags, u)
	})
}

func (b *belief) Arrived(v *View) {
	if int(v.Exists()) <= len(b.uids) {
		b.t.Fatalf("EXISTS %d, the client counts %d", v.Exists(), len(b.uids))
	}
	// A client fetches what is new.
	v.Each([]mail.Range{{First: uint32(len(b.uids)) + 1, Last: v.Exists()}}, func(r *Row) bool {
		b.uids = append(b.uids, r.UID)
		b.flags[r.UID] = r.Flags
		return true
	})
}

func (b *belief) Flagged(r *Row) {
	if b.uids[r.Seq-1] != r.UID {
		b.t.Fatalf("FETCH %d is UID %d, the client counts %d there", r.Seq, r.UID, b.uids[r.Seq-1])
	}
	b.flags[r.UID] = r.Flags
}

// truth is what really happened to each message, by modification sequence.
type truth struct {
	uid              mail.UID
	arrived, expunge mail.ModSeq
	flags            mail.Flags
	changed          mail.ModSeq
}

// checkHighest: a client that remembers HIGHESTMODSEQ and comes back must have
// missed nothing up to it (RFC 7162 3.2).
func (b *belief) checkHighest(all []*truth) {
	h := b.view.HighestModSeq()
	for _, m := range all {
		_, known := b.flags[m.uid]
		switch {
		case m.expunge != 0 && m.expunge <= h && known:
			b.t.Fatalf("HIGHESTMODSEQ %d, and the expunge of %d at %d is not told", h, m.uid, m.expunge)
		case m.expunge == 0 && m.arrived <= h && !known:
			b.t.Fatalf("HIGHESTMODSEQ %d, and the arrival of %d at %d is not told", h, m.uid, m.arrived)
		case m.expunge == 0 && known && m.changed <= h && b.flags[m.uid] != m.flags:
			b.t.Fatalf("HIGHESTMODSEQ %d, and the flags of %d at %d are not told", h, m.uid, m.changed)
		}
	}
}

// stillOfInterest leaves out what every client has been told is gone.
func stillOfInterest(all []*truth, clients []*belief) []*truth {
	return slices.DeleteFunc(all, func(m *truth) bool {
		for _, b := range clients {
			if m.expunge == 0 || m.expunge > b.view.HighestModSeq() {
				return false
			}
		}
		return true
	})
}

// TestViewsNeverLie lets sessions work on one mailbox at random, with numbers and without
// being told of expunges for long, one of them at times also without being told of anything
// else, and holds what each believes against what is.
func TestViewsNeverLie(t *testing.T) {
	w := newWorld(t, Limits{})
	a := w.account(w.engine)
	inbox := a.Tree().Lookup(Inbox)
	rng := rand.New(rand.NewPCG(7, 7))
	var all []*truth
	live := map[mail.UID]*truth{}
	clients := make([]*belief, 3)
	for i := range clients {
		clients[i] = &belief{t: t, view: must[*View](t)(a.Select(t.Context(), inbox, false, nil)), flags: map[mail.UID]mail.Flags{}}
	}
	tell := func(b *belief, kinds News) {
		b.view.Refresh()
		b.view.Tell(b, kinds)
		if b.view.Exists() != uint32(len(b.uids)) {
			t.Fatalf("the view counts %d, the client %d", b.view.Exists(), len(b.uids))
		}
		if n := uint32(len(b.uids)); n > 0 {
			if there, _ := b.view.UIDs([]mail.Range{{First: 1, Last: n}}); !slices.Equal(b.view.Members(), there) {
				t.Fatalf("members %v, want %v", b.view.Members(), there)
			}
		}
		b.checkHighest(all)
	}
	message := incoming(t, a, "a: b\r\n\r\nx")
	for step := range *viewSteps {
		if step%100 == 0 {
			all = stillOfInterest(all, clients)
		}
		b := clients[rng.IntN(len(clients))]
		shy := b == clients[2]
		b.view.Refresh()
		if !shy {
			b.view.TellArrivals(b)
		}
		switch k := rng.IntN(20); {
		case k < 5 && len(live) < 150:
			n := 1 + rng.IntN(3)
			op := &Append{Mailbox: inbox.ID, Now: 1}
			for range n {
				op.Messages = append(op.Messages, message)
			}
			r := must[Result](t)(a.Do(t.Context(), op))
			for u := r.Target[0].First; u <= r.Target[0].Last; u++ {
				m := &truth{uid: mail.UID(u), arrived: r.ModSeq, changed: r.ModSeq}
				all, live[m.uid] = append(all, m), m
			}
		case k < 8 && len(live) > 0:
			uids := someUIDs(rng, b.uids)
			r := must[Result](t)(a.Do(t.Context(), &Expunge{Mailbox: inbox.ID, UIDs: uids, Any: true}))
			for u := range live {
				if r.Source.Contains(u) {
					live[u].expunge = r.ModSeq
					delete(live, u)
				}
			}
		case k < 14:
			storeSome(t, rng, a, b, live)
		case k < 16 && len(b.uids) > 0:
			readSome(t, rng, b, live)
		}
		kinds := AllNews
		if rng.IntN(3) > 0 {
			kinds &^= Expunges
		}
		if shy {
			kinds &= News(rng.IntN(int(AllNews) + 1))
		}
		tell(b, kinds)
	}
	for _, b := range clients {
		tell(b, AllNews)
		if len(b.uids) != len(live) {
			t.Fatalf("the client counts %d in the end, there are %d", len(b.uids), len(live))
		}
		for u, f := range b.flags {
			if live[u] == nil || live[u].flags != f {
				t.Fatalf("in the end the client believes %v of %d", f, u)
			}
		}
	}
}

func someUIDs(rng *rand.Rand, from []mail.UID) mail.UIDSet {
	var s mail.UIDSet
	for range 1 + rng.IntN(3) {
		if len(from) > 0 {
			s = append(s, mail.UIDs(from[rng.IntN(len(from))])...)
		}
	}
	return append(s, mail.Range{First: 1 << 30, Last: 1 << 30}).Normalize()
}

// storeSome is a STORE by number, loud or silent, as a session does it.
func storeSome(t *testing.T, rng *rand.Rand, a *Account, b *belief, live map[mail.UID]*truth) {
	if len(b.uids) == 0 {
		return
	}
	first := uint32(1 + rng.IntN(len(b.uids)))
	seqs := []mail.Range{{First: first, Last: min(first+uint32(rng.IntN(3)), uint32(len(b.uids)))}}
	uids, _ := b.view.UIDs(seqs)
	change := FlagChange{Mode: StoreMode(rng.IntN(3)), System: mail.Flags(rng.IntN(32)) & mail.SystemFlags}
	silent := rng.IntN(2) == 0
	r := must[Result](t)(a.Do(t.Context(), &Store{Mailbox: b.view.Mailbox().ID, UIDs: uids, Change: change}))
	apply := func(f mail.Flags) mail.Flags { return a.Keywords().after(f, &change) }
	for _, m := range live {
		if f := apply(m.flags); r.Source.Contains(m.uid) && f != m.flags {
			m.flags, m.changed = f, r.ModSeq
		}
	}
	b.view.Own(r.ModSeq, change, silent)
	b.view.Refresh()
	b.view.EachUID(r.Source, func(row *Row) bool {
		if silent {
			b.flags[row.UID] = apply(b.flags[row.UID])
		} else {
			b.flags[row.UID] = row.Flags
		}
		return true
	})
}

// readSome is a FETCH by number: what it says of a message that is there is true,
// and a ghost keeps its number.
func readSome(t *testing.T, rng *rand.Rand, b *belief, live map[mail.UID]*truth) {
	n := uint32(1 + rng.IntN(len(b.uids)))
	b.view.Each([]mail.Range{{First: n, Last: uint32(len(b.uids))}}, func(r *Row) bool {
		if b.uids[r.Seq-1] != r.UID {
			t.Fatalf("FETCH %d is UID %d, the client counts %d there", r.Seq, r.UID, b.uids[r.Seq-1])
		}
		m := live[r.UID]
		if (m == nil) != r.Ghost {
			t.Fatalf("FETCH %d: ghost %v, expunged %v", r.Seq, r.Ghost, m == nil)
		}
		if m != nil && m.flags != r.Flags {
			t.Fatalf("FETCH %d: flags %v are %v", r.Seq, r.Flags, m.flags)
		}
		if seq, ok := b.view.Seq(r.UID); !ok || seq != r.Seq {
			t.Fatalf("Seq(%d) = %d %v, want %d", r.UID, seq, ok, r.Seq)
		}
		return rng.IntN(10) > 0
	})
}
