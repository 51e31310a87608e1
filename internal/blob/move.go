package blob

import (
	"context"
	"io"

	"postfach/internal/mail"
)

// Move copies records out of a segment that is to be deleted, with one sync.
type Move struct {
	l      *Local
	g      *segment // nil after Finish or an error
	number uint64
}

// BeginMove takes a segment that the copies go to. Finish and then Release end it.
func (l *Local) BeginMove() (*Move, error) {
	g, err := l.take()
	if err != nil {
		return nil, err
	}
	return &Move{l, g, g.number}, nil
}

// Copy copies a record, verifying it on the way. The copy is not durable before Finish.
func (m *Move) Copy(ctx context.Context, id mail.AccountID, ref mail.Ref) (mail.Ref, error) {
	if m.g == nil {
		return mail.Ref{}, errEnded()
	}
	b, err := m.l.Open(ctx, id, ref)
	if err != nil {
		return mail.Ref{}, err
	}
	defer b.Close()
	u := &upload{l: m.l, g: m.g, number: m.number, header: header{account: id, segment: m.number, offset: m.g.end}}
	defer u.end()
	if _, err := io.Copy(u, io.NewSectionReader(b, 0, b.Size())); err != nil {
		m.failed(u)
		return mail.Ref{}, err
	}
	to, err := u.seal()
	if err != nil {
		m.failed(u)
		return mail.Ref{}, err
	}
	m.g.end += to.Length
	return to, nil
}

// failed forgets the segment when the upload has had to drop it.
func (m *Move) failed(u *upload) {
	if u.g == nil {
		m.g = nil
	}
}

// Finish makes the copies durable.
func (m *Move) Finish() error {
	if m.g == nil {
		return errEnded()
	}
	g := m.g
	m.g = nil
	if err := g.file.SyncData(); err != nil {
		m.l.drop(g)
		return mail.Wrap(mail.Unavailable, err)
	}
	m.l.giveBack(g)
	return nil
}

// Release ends the lease on the copies: messages refer to them, or nobody ever will.
func (m *Move) Release() {
	if m.g != nil {
		m.l.giveBack(m.g)
		m.g = nil
	}
	m.l.unlease(m.number)
}
