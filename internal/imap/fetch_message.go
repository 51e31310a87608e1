package imap

import (
	"bytes"
	"io"

	"postfach/internal/mail"
	"postfach/internal/mailbox"
	"postfach/internal/mime"
)

// fetched is the message that a FETCH is about to answer for, with as much of it
// opened as the items need. It is the same value for all messages.
type fetched struct {
	s         *session
	opener    *mailbox.Opener
	row       *mailbox.Row
	record    *mail.Message
	structure *mime.Structure
	body      mail.Body

	lister *lister // what is known of messages; nil: of no use here
	listed bool    // the lister has all of this message
	lazy   bool    // the body is read only while it is written, and the response can be taken back

	filtered bytes.Buffer // header fields that items have picked
	reader   bytes.Reader
	section  io.SectionReader // what is read of the body
	literal  withoutNUL       // what is written
	probe    [1]byte
}

// prepare opens the message and does everything else that may fail.
func (m *fetched) prepare(q *fetchRequest) error {
	if q.needs == 0 {
		return nil
	}
	if err := m.open(q); err != nil {
		return err
	}
	if m.lister != nil {
		err := m.lister.learn()
		if m.listed || err != nil {
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

// open opens as much of the message as the items need.
func (m *fetched) open(q *fetchRequest) (err error) {
	ctx := m.s.ctx
	if ctx.Err() != nil {
		return mail.Wrap(mail.Unavailable, ctx.Err())
	}
	if m.opener == nil {
		m.opener = m.s.newOpener()
	}
	id := m.row.Fixed.Message
	if q.needs != needsBody {
		if m.record, err = m.opener.Message(ctx, id); err != nil {
			return err
		}
	}
	if q.needs&needsStructure != 0 {
		if m.structure, err = m.s.account.Structure(ctx, m.record); err != nil {
			return err
		}
	}
	switch {
	case m.lazy:
		m.body = m.opener.Whole(ctx, id, m.row.Fixed.Size)
	case q.needs&needsBody != 0:
		m.body, err = m.opener.Body(ctx, id)
	}
	return err
}

// headBytes is room for all of a response but the literal, as a rule.
const headBytes = 4 << 10

// tell writes the response. What can't be read at all is noticed here when it is read lazily.
func (m *fetched) tell(q *fetchRequest, changed bool) error {
	if !m.lazy {
		m.write(q, changed)
		return nil
	}
	m.s.w.Mark(headBytes + int(min(m.body.Size(), mail.InlineBytesMax)))
	m.write(q, changed)
	return m.s.w.Undo()
}

// write writes the FETCH response (RFC 9051 7.5.2). When the command has changed the
// flags, they are told even if the client did not ask for them, with all that is told
// with any change.
func (m *fetched) write(q *fetchRequest, changed bool) {
	w := m.s.w
	m.s.telling.head(m.s, m.row)
	sep := ""
	if changed {
		sep = m.writeChanged(q)
	}
	for i := range q.items {
		w.Raw(sep)
		sep = " "
		if a := &q.items[i]; m.listed && a.column != nil {
			a.column.write(w, a)
		} else {
			a.write(m, a)
		}
		if w.Err() != nil {
			return
		}
	}
	w.Byte(')').CRLF()
}

// writeChanged writes what was not asked for, and returns what comes before the next
// item.
func (m *fetched) writeChanged(q *fetchRequest) (sep string) {
	write := func(item *fetchItem) {
		if !q.asksFor(item) {
			m.s.w.Raw(sep)
			item.write(m, nil)
			sep = " "
		}
	}
	write(fetchTable["FLAGS"])
	if len(m.s.telling.changes) > 0 && !m.s.telling.named { // RFC 7162 3.2.4
		write(fetchTable["UID"])
	}
	for _, item := range m.s.telling.changes {
		write(item)
	}
	return sep
}

// close closes the message, and keeps memory for the next.
func (m *fetched) close() {
	if m.body != nil {
		m.body.Close()
	}
	m.row, m.record, m.structure, m.body, m.listed = nil, nil, nil, nil, false
	m.filtered.Reset()
}

// keptBytes is how much memory a FETCH keeps for the next one.
const keptBytes = 4 << 10

// release gives memory back at the end of a command.
func (m *fetched) release() {
	if m.opener != nil {
		m.opener.Release()
		m.opener = nil
	}
	m.reader.Reset(nil)
	m.section, m.literal = io.SectionReader{}, withoutNUL{}
	if m.lister != nil {
		m.lister.close()
		m.lister = nil
	}
	if m.filtered.Cap() > keptBytes {
		m.filtered = bytes.Buffer{}
	}
}
