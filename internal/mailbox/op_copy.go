package mailbox

import (
	"postfach/internal/mail"
)

// Copy puts messages into another mailbox of the account as well; Move takes them
// out of the first at the same moment (RFC 6851). Result: ModSeq, UIDValidity,
// Source and Target, Missing. With nothing to copy, ModSeq is 0.
type Copy struct {
	From, To mail.MailboxID
	UIDs     mail.UIDSet
	Move     bool
	Now      int64 // seconds; when the copies came into the mailbox
}

func (op *Copy) plan(s *state, m mail.ModSeq) ([]mail.Change, Result, error) {
	from, err := needMailbox(s, op.From)
	if err != nil {
		return nil, Result{}, err
	}
	to, err := needMailbox(s, op.To)
	if err != nil {
		return nil, Result{}, err
	}
	copied := &mail.Copied{Stamped: mail.Stamped{ModSeq: m}, Mailbox: op.To}
	r := Result{UIDValidity: to.state.UIDValidity}
	uid := to.state.UIDNext
	r.Missing = eachRow(from.root, op.UIDs, func(leaf *node, i int) {
		row := leaf.row(i)
		r.Source = r.Source.Append(row.UID)
		r.Target = r.Target.Append(uid)
		row.UID, row.ModSeq, row.Saved = uid, m, op.Now
		copied.Rows = append(copied.Rows, row)
		copied.Delta.Add(mail.Count(row.Flags, row.Size))
		uid++
	})
	if len(copied.Rows) == 0 {
		return nil, r, nil
	}
	bytes := copied.Delta.Bytes
	if op.Move {
		bytes = 0
	}
	if err := s.checkRoom(to, int64(len(copied.Rows)), bytes); err != nil {
		return nil, Result{}, err
	}
	list := []mail.Change{copied}
	if op.Move {
		removed, _ := planRemoval(from, r.Source, m)
		list = append(list, removed)
	}
	return list, r, nil
}
