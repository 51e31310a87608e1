package mailbox

import (
	"postfach/internal/mail"
)

// Op is one operation of an account. Time, ids and bytes come with it, so that
// planning is pure: the same state and op always yield the same changes.
type Op interface {
	// plan reads the state and yields the changes that the op makes, all with the
	// given modification sequence, or an error and nothing. No changes and no error:
	// there was nothing to do.
	plan(s *state, m mail.ModSeq) ([]mail.Change, Result, error)
}

// Result is what an op led to. Which fields are set is said at each op.
type Result struct {
	ModSeq      mail.ModSeq // 0 when nothing changed
	Ticket      mail.Ticket // wait for it before telling anybody
	UIDValidity uint32      // of the target mailbox
	Source      mail.UIDSet // UIDs that were copied, moved, changed or expunged
	Target      mail.UIDSet // the new UIDs, in the order of Source
	Missing     mail.UIDSet // UIDs that were asked for and are not there
	Modified    mail.UIDSet // UIDs that failed the UnchangedSince test (RFC 7162 3.1.3)
	Mailbox     mail.MailboxID
}

// changes collects the changes of one op.
type changes struct {
	stamp mail.Stamped
	list  []mail.Change
}

func stampedAt(m mail.ModSeq) *changes { return &changes{stamp: mail.Stamped{ModSeq: m}} }

// eachRow calls f for the rows of a mailbox that are in a set, and returns the
// UIDs of the set's ranges that are not there, as far as they are below UIDNext
// and few: single UIDs only (a client that names a wide range means "those that
// are there").
func eachRow(root *node, uids mail.UIDSet, f func(leaf *node, i int)) mail.UIDSet {
	var missing mail.UIDSet
	var c cursor
	for _, r := range uids {
		first, last := mail.UID(r.First), mail.UID(r.Last)
		found := false
		for c.seekUID(root, first); c.row() && c.uid() <= last; c.next() {
			f(c.leaf, c.i)
			found = true
		}
		if !found && first == last {
			missing = missing.Append(first)
		}
	}
	return missing
}

// needMailbox finds a mailbox of the account by its id.
func needMailbox(s *state, id mail.MailboxID) (*version, error) {
	v := s.version(id)
	if v == nil || v.gone {
		return nil, mail.Errorf(mail.NotFound, "no such mailbox")
	}
	return v, nil
}
