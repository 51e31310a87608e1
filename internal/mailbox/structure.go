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
	if s := a.KnownStructure(ctx, m); s != nil {
		return s, nil
	}
	s, err := a.parse(ctx, m)
	if err != nil {
		return nil, err
	}
	if err := a.engine.store.PutDerived(ctx, a.ID, structureKey(m.ID), mime.Append(nil, s)); err != nil {
		a.engine.env.Log.Warn("could not keep a structure", "account", a.ID, "err", err)
	}
	return s, nil
}

// KnownStructure returns the structure if it need not be computed, else nil.
func (a *Account) KnownStructure(ctx context.Context, m *mail.Message) *mime.Structure {
	if m.StructureVersion == mime.Version {
		if s, err := mime.Decode(m.Structure); err == nil {
			return s
		}
	}
	if b, err := a.engine.store.Derived(ctx, a.ID, structureKey(m.ID)); err == nil {
		if s, err := mime.Decode(b); err == nil {
			return s
		}
	}
	return nil
}

// Derived returns small data that was computed from the account's messages, NotFound when
// there is none under this key.
func (a *Account) Derived(ctx context.Context, key string) ([]byte, error) {
	return a.engine.store.Derived(ctx, a.ID, key)
}

// PutDerived keeps such data. It may get lost.
func (a *Account) PutDerived(ctx context.Context, key string, value []byte) error {
	return a.engine.store.PutDerived(ctx, a.ID, key, value)
}

// structurePrefix begins the keys of a message's structures, whichever parser they are of.
func structurePrefix(id mail.MessageID) string {
	return "structure/" + strconv.FormatUint(uint64(id), 36) + "/"
}

// DropDerived drops data whose keys begin so.
func (a *Account) DropDerived(ctx context.Context, prefix string) error {
	return a.engine.store.DropDerived(ctx, a.ID, prefix)
}

func structureKey(id mail.MessageID) string {
	return structurePrefix(id) + strconv.Itoa(mime.Version)
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
