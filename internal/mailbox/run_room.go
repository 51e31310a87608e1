package mailbox

import (
	"postfach/internal/mail"
)

// runRoom is room for what the operations of a run plan, so that two hundred small ones don't
// allocate a dozen things each. Without room things are made one by one.
type runRoom struct {
	uids   []mail.Range
	flags  []mail.FlagsSet
	groups []flagGroup // of the STORE that is being planned, as is what follows
	out    changes
}

// reserve makes room for a run; ops that name one message each are what it is for.
func (r *runRoom) reserve(ops int) {
	if ops > 1 {
		r.uids, r.flags = make([]mail.Range, 0, 2*ops), make([]mail.FlagsSet, 0, ops)
	}
}

// uid returns a set of one.
func (r *runRoom) uid(u mail.UID) mail.UIDSet {
	n := len(r.uids)
	if n == cap(r.uids) {
		return mail.UIDs(u)
	}
	r.uids = append(r.uids, mail.Range{First: uint32(u), Last: uint32(u)})
	return mail.UIDSet(r.uids[n : n+1 : n+1])
}

func (r *runRoom) flagsSet() *mail.FlagsSet {
	n := len(r.flags)
	if n == cap(r.flags) {
		return new(mail.FlagsSet)
	}
	r.flags = r.flags[:n+1]
	return &r.flags[n]
}

// changes returns an empty list, which is good until the next operation is planned.
func (r *runRoom) changes(m mail.ModSeq) *changes {
	clear(r.out.list)
	r.out = changes{stamp: mail.Stamped{ModSeq: m}, list: r.out.list[:0]}
	return &r.out
}
