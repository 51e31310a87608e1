package imap

import (
	"bytes"
	"time"

	"postfach/internal/mail"
	"postfach/internal/mailbox"
	"postfach/internal/mime"
)

// fetched is the message that a FETCH is about to answer for, with as much of it
// opened as the items need. It is the same value for all messages.
type fetched struct {
	s         *session
	row       *mailbox.Row
	record    *mail.Message
	structure *mime.Structure
	body      mail.Body

	filtered bytes.Buffer // header fields that items have picked
	reader   bytes.Reader
	probe    [1]byte

	zone        *time.Location // of the last INTERNALDATE
	zoneMinutes int16
}

// prepare opens the message and does everything else that may fail.
func (m *fetched) prepare(q *fetchRequest) error {
	if q.needs == 0 {
		return nil
	}
	ctx := m.s.ctx
	if ctx.Err() != nil {
		return mail.Wrap(mail.Unavailable, ctx.Err())
	}
	var err error
	if m.record, err = m.s.account.Message(ctx, m.row.Fixed.Message); err != nil {
		return err
	}
	if q.needs&needsStructure != 0 {
		if m.structure, err = m.s.account.Structure(ctx, m.record); err != nil {
			return err
		}
	}
	if q.needs&needsBody != 0 {
		if m.body, err = m.s.account.Body(ctx, m.record); err != nil {
			return err
		}
	}
	for i := range q.items {
		if a := &q.items[i]; a.prepare != nil {
			if err := a.prepare(m, a); err != nil {
				return err
			}
		}
	}
	return nil
}

// write writes the FETCH response (RFC 9051 7.5.2). With flags, the command has
// changed them and the client did not ask for them.
func (m *fetched) write(items []fetchAtt, flags bool) {
	w := m.s.w
	w.Raw("* ").Number(m.row.Seq).Raw(" FETCH (")
	if flags {
		m.s.writeFlags(m.row)
		if len(items) == 0 && m.s.command.uid {
			w.SP()
			m.writeUID()
		}
	}
	for i := range items {
		if i > 0 || flags {
			w.SP()
		}
		items[i].write(m, &items[i])
		if w.Err() != nil {
			return
		}
	}
	w.Byte(')').CRLF()
}

// close closes the message, and keeps memory for the next.
func (m *fetched) close() {
	if m.body != nil {
		m.body.Close()
	}
	m.row, m.record, m.structure, m.body = nil, nil, nil, nil
	m.filtered.Reset()
}

// keptBytes is how much memory a FETCH keeps for the next one.
const keptBytes = 4 << 10

// release gives memory back at the end of a command.
func (m *fetched) release() {
	m.reader.Reset(nil)
	if m.filtered.Cap() > keptBytes {
		m.filtered = bytes.Buffer{}
	}
}
