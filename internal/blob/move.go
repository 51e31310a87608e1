package blob

import (
	"context"
	"io"

	"postfach/internal/mail"
)

// localMove copies with one sync.
type localMove struct {
	l      *Local
	g      *segment // nil after Finish or an error
	number uint64
}

// BeginMove implements Segments.
func (l *Local) BeginMove(context.Context) (Move, error) {
	g, err := l.take()
	if err != nil {
		return nil, err
	}
	return &localMove{l, g, g.number}, nil
}

// Copy implements Move.
func (m *localMove) Copy(ctx context.Context, id mail.AccountID, ref mail.Ref) (mail.Ref, error) {
	if m.g == nil {
		return mail.Ref{}, errEnded()
	}
	b, err := m.l.Open(ctx, id, ref)
	if err != nil {
		return mail.Ref{}, err
	}
	defer b.Close()
	u := newUpload(m.l, m.g, id)
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
func (m *localMove) failed(u *upload) {
	if u.g == nil {
		m.g = nil
	}
}

// Finish implements Move.
func (m *localMove) Finish(context.Context) error {
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

// Release implements Move.
func (m *localMove) Release() {
	if m.g != nil {
		m.l.giveBack(m.g)
		m.g = nil
	}
	m.l.unlease(m.number)
}
