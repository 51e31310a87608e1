package mailbox

import (
	"context"
	"io"
	"strconv"

	"postfach/internal/mail"
	"postfach/internal/mime"
)

// Structure returns a message's MIME structure. It was computed when the message
// arrived; one that an older parser wrote, or that can't be read, is computed again
// and kept beside.
func (a *Account) Structure(ctx context.Context, m *mail.Message) (*mime.Structure, error) {
	if m.StructureVersion == mime.Version {
		if s, err := mime.Decode(m.Structure); err == nil {
			return s, nil
		}
	}
	key := "structure/" + strconv.Itoa(mime.Version) + "/" + strconv.FormatUint(uint64(m.ID), 36)
	if b, err := a.engine.store.Derived(ctx, a.ID, key); err == nil {
		if s, err := mime.Decode(b); err == nil {
			return s, nil
		}
	}
	s, err := a.parse(ctx, m)
	if err != nil {
		return nil, err
	}
	if err := a.engine.store.PutDerived(ctx, a.ID, key, mime.Append(nil, s)); err != nil {
		a.engine.env.Log.Warn("could not keep a structure", "account", a.ID, "err", err)
	}
	return s, nil
}

func (a *Account) parse(ctx context.Context, m *mail.Message) (*mime.Structure, error) {
	body, err := a.Body(ctx, m)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	p := mime.NewParser()
	if _, err := io.Copy(p, io.NewSectionReader(body, 0, body.Size())); err != nil {
		return nil, err
	}
	return p.Close(), nil
}
