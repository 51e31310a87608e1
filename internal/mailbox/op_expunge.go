package mailbox

import (
	"postfach/internal/mail"
)

// Expunge removes messages for ever. Result: ModSeq (0 when there was nothing to
// remove), Source.
type Expunge struct {
	Mailbox mail.MailboxID
	// UIDs limits it to these messages (RFC 4315 2.1); nil means all.
	UIDs mail.UIDSet
	// Any removes messages that are not marked \Deleted too.
	Any bool
}

func (op *Expunge) plan(s *state, m mail.ModSeq) ([]mail.Change, Result, error) {
	v, err := needMailbox(s, op.Mailbox)
	if err != nil {
		return nil, Result{}, err
	}
	if v.state.Deleted == 0 && !op.Any {
		return nil, Result{}, nil
	}
	uids := op.UIDs
	switch {
	case !op.Any && uids == nil:
		uids = v.root.deleted(nil)
	case !op.Any:
		uids = v.root.deleted(nil).Intersect(uids)
	case uids == nil:
		uids = mail.UIDSet{{First: 1, Last: uint32(mail.UIDMax)}}
	}
	removed, _ := planRemoval(v, uids, m)
	if removed == nil {
		return nil, Result{}, nil
	}
	return []mail.Change{removed}, Result{Source: removed.UIDs}, nil
}

// planRemoval makes the change that takes rows out of a mailbox, nil when there are
// none, and returns the rows too.
func planRemoval(v *version, uids mail.UIDSet, m mail.ModSeq) (*mail.Removed, []mail.Row) {
	c := &mail.Removed{Stamped: mail.Stamped{ModSeq: m}, Mailbox: v.state.ID}
	var rows []mail.Row
	eachRow(v.root, uids, func(leaf *node, i int) {
		row := leaf.row(i)
		rows = append(rows, row)
		c.UIDs = c.UIDs.Append(row.UID)
		c.Delta.Add(mail.Count(row.Flags, row.Size).Negative())
	})
	if rows == nil {
		return nil, nil
	}
	return c, rows
}
