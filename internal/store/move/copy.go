package move

import (
	"context"

	"postfach/internal/mail"
)

// known is what the target has of a mailbox: 64 bytes a row, so that under the fence only
// the difference has to be written.
type known struct {
	state mail.MailboxState
	rows  []mail.Row
}

// delta is how much a pass has had to copy.
type delta struct {
	messages, rows int
	bytes          int64
}

const rowsAtOnce = 10_000

// copy brings the target up to a state of the source, or a later one.
func (m *mover) copy(ctx context.Context, state *mail.AccountState) (d delta, err error) {
	if err := m.copyMessages(ctx, &d); err != nil {
		return d, err
	}
	there := map[mail.MailboxID]bool{}
	for _, mailbox := range state.Mailboxes {
		there[mailbox.ID] = true
		n, err := m.copyMailbox(ctx, mailbox)
		if err != nil {
			return d, err
		}
		d.rows += n
	}
	for id := range m.known {
		if there[id] {
			continue
		}
		if err := m.in.Drop(ctx, id); err != nil {
			return d, err
		}
		delete(m.known, id)
	}
	return d, nil
}

// copyMailbox brings a mailbox up to date and tells how many rows that took.
func (m *mover) copyMailbox(ctx context.Context, state mail.MailboxState) (int, error) {
	k := m.known[state.ID]
	if k != nil && k.state == state {
		return 0, nil
	}
	var rows []mail.Row
	if k != nil && k.state.HighestModSeq == state.HighestModSeq {
		rows = k.rows
	} else {
		_, seq, err := m.from.LoadMailbox(ctx, m.id, state.ID)
		if mail.Is(err, mail.NotFound) {
			return 0, nil // deleted meanwhile
		}
		if err != nil {
			return 0, err
		}
		for row, err := range seq {
			if err != nil {
				return 0, err
			}
			// What came after its messages were copied is for the next pass.
			if row.Message < m.in.Next() {
				rows = append(rows, row)
			}
		}
	}
	return m.takeMailbox(ctx, state, k, rows)
}

func (m *mover) takeMailbox(ctx context.Context, state mail.MailboxState, k *known, rows []mail.Row) (int, error) {
	if err := m.in.Mailbox(ctx, state, m.from.Expunges(ctx, m.id, state.ID)); err != nil {
		return 0, err
	}
	var old []mail.Row
	if k != nil {
		old = k.rows
	}
	put, drop := difference(old, rows)
	n := len(put)
	for _, r := range drop {
		n += int(r.Last-r.First) + 1
	}
	for len(put) > 0 || len(drop) > 0 {
		part := put[:min(len(put), rowsAtOnce)]
		if err := m.in.Rows(ctx, state.ID, part, drop); err != nil {
			return 0, err
		}
		put, drop = put[len(part):], nil
	}
	m.known[state.ID] = &known{state, rows}
	return n, nil
}

// difference tells what makes new rows of old ones.
func difference(old, rows []mail.Row) (put []mail.Row, drop mail.UIDSet) {
	for _, row := range rows {
		for len(old) > 0 && old[0].UID < row.UID {
			drop = drop.Append(old[0].UID)
			old = old[1:]
		}
		if len(old) > 0 && old[0].UID == row.UID {
			same := old[0] == row
			if old = old[1:]; same {
				continue
			}
		}
		put = append(put, row)
	}
	for _, row := range old {
		drop = drop.Append(row.UID)
	}
	return put, drop
}
