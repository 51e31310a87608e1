package imap

import (
	"context"
	"runtime/debug"
	"sort"

	"postfach/internal/mail"
	"postfach/internal/mailbox"
	"postfach/internal/search"
)

// box is the selected mailbox as a search sees it.
func (q *searchRequest) box() *search.Box {
	v := q.s.view
	state := v.State()
	numbers, scores := q.found.numbering(), q.found.scores
	return &search.Box{
		Owner: ownerOf(q.s.account), Mailbox: v.Mailbox().ID, UIDValidity: state.UIDValidity,
		Count: int64(v.Exists()), All: v.Members,
		Each: func(uids mail.UIDSet, f func(search.Item)) {
			v.EachUID(uids, func(r *mailbox.Row) bool {
				if r.Ghost {
					return true
				}
				item := search.Item{UID: r.UID, Fixed: r.Fixed}
				if len(scores) > 0 {
					item.Score = scores[numbers.rank(r.UID)]
				}
				f(item)
				return true
			})
		},
	}
}

func ownerOf(a *mailbox.Account) search.Owner { return search.Owner{Account: a.ID, Load: a.Load} }

// known is what is known of the account's messages.
func (q *searchRequest) known() *search.Known {
	account := q.s.account
	k := q.s.server.library.Known(ownerOf(account), account, func() search.Opener { return account.Opener() })
	k.Skip, k.Progress = isUnreadable, q.progress.next
	return k
}

// learnt warns of messages that could not be read, and has what was found out about the others
// written to the store, while the session goes on. It waits until the messages are durable:
// what is known of one must not outlive it.
func (q *searchRequest) learnt(k *search.Known) {
	s := q.s
	if id, err := k.Skipped(); err != nil {
		s.view.EachUID(q.found.uids, func(r *mailbox.Row) bool {
			if r.Fixed.Message == id {
				s.warn(s.unreadable(r.UID, err))
			}
			return r.Fixed.Message != id
		})
	}
	account, ticket, log := s.account, s.view.Ticket(), s.log()
	save := k.Save(func(ctx context.Context) error { return account.Await(ctx, ticket) })
	if save == nil {
		return
	}
	s.server.background(s.ctx, func(ctx context.Context) {
		if err := save(ctx); err != nil && ctx.Err() == nil {
			log.Warn("could not keep what is known of messages", "err", err)
		}
	})
}

// background does something that nobody waits for. Shutdown does, and the context's end ends it.
func (srv *Server) background(ctx context.Context, f func(context.Context)) {
	srv.wg.Go(func() {
		defer func() {
			if p := recover(); p != nil {
				srv.env.Log.Error("panic", "panic", p, "stack", string(debug.Stack()))
			}
		}()
		f(ctx)
	})
}

// inOrder returns what was found in the order of the UIDs. Of the numbers and the UIDs only
// those are needed that the command tells, unless an option is about single messages.
func (f *found) inOrder(uids []mail.UID, uid bool) found {
	sorted := found{highest: f.highest, uids: make(mail.UIDSet, 0, len(uids))}
	if !uid {
		sorted.numbers = make(mail.UIDSet, 0, len(uids))
	}
	numbers := f.numbering()
	for _, u := range uids {
		sorted.uids = sorted.uids.Append(u)
		if len(f.scores) > 0 {
			sorted.scores = append(sorted.scores, f.scores[numbers.rank(u)])
		}
		if !uid {
			sorted.numbers = sorted.numbers.Append(mail.UID(numbers.of(u)))
		}
	}
	return sorted
}

// numbering finds the numbers of messages that were found.
type numbering struct {
	uids, numbers mail.UIDSet
	before        []uint32 // members before each range of uids,
	earlier       []uint32 // and of numbers
}

func (f *found) numbering() *numbering {
	return &numbering{f.uids, f.numbers, before(f.uids), before(f.numbers)}
}

func before(set mail.UIDSet) []uint32 {
	counts, n := make([]uint32, len(set)), uint32(0)
	for i, r := range set {
		counts[i] = n
		n += r.Last - r.First + 1
	}
	return counts
}

// rank is how many messages that were found come before one of them.
func (n *numbering) rank(u mail.UID) uint32 {
	i := 0
	if len(n.uids) > 1 {
		i = sort.Search(len(n.uids), func(i int) bool { return n.uids[i].Last >= uint32(u) })
	}
	return n.before[i] + uint32(u) - n.uids[i].First
}

// of returns the number of a message that was found.
func (n *numbering) of(u mail.UID) uint32 {
	rank := n.rank(u)
	j := sort.Search(len(n.earlier), func(j int) bool { return n.earlier[j] > rank }) - 1
	return n.numbers[j].First + rank - n.earlier[j]
}
