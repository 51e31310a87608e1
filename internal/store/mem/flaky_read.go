package mem

import (
	"context"
	"iter"

	"postfach/internal/mail"
)

// Account implements mail.Directory.
func (f *Flaky) Account(ctx context.Context, name string) (mail.Account, error) {
	if err := f.read(); err != nil {
		return mail.Account{}, err
	}
	return f.Store.Account(ctx, name)
}

// Version implements mail.Store.
func (f *Flaky) Version(ctx context.Context, id mail.AccountID) (mail.Version, error) {
	if err := f.read(); err != nil {
		return 0, err
	}
	return f.Store.Version(ctx, id)
}

// LoadAccount implements mail.Store.
func (f *Flaky) LoadAccount(ctx context.Context, id mail.AccountID) (*mail.AccountState, error) {
	if err := f.read(); err != nil {
		return nil, err
	}
	return f.Store.LoadAccount(ctx, id)
}

// LoadMailbox implements mail.Store. It may also fail in the middle of the rows.
func (f *Flaky) LoadMailbox(ctx context.Context, id mail.AccountID, mailbox mail.MailboxID) (mail.Version, iter.Seq2[mail.Row, error], error) {
	if err := f.read(); err != nil {
		return 0, nil, err
	}
	v, rows, err := f.Store.LoadMailbox(ctx, id, mailbox)
	if err != nil {
		return 0, nil, err
	}
	return v, func(yield func(mail.Row, error) bool) {
		for row, err := range rows {
			if !yield(row, err) {
				return
			}
		}
		if err := f.read(); err != nil {
			yield(mail.Row{}, err)
		}
	}, nil
}

// Message implements mail.Store.
func (f *Flaky) Message(ctx context.Context, id mail.AccountID, number mail.MessageID) (*mail.Message, error) {
	if err := f.read(); err != nil {
		return nil, err
	}
	return f.Store.Message(ctx, id, number)
}

// Inline implements mail.Store.
func (f *Flaky) Inline(ctx context.Context, id mail.AccountID, number mail.MessageID) ([]byte, error) {
	if err := f.read(); err != nil {
		return nil, err
	}
	return f.Store.Inline(ctx, id, number)
}

// Since implements mail.Store. It may also fail after some of the changes.
func (f *Flaky) Since(ctx context.Context, id mail.AccountID, v mail.Version) iter.Seq2[mail.Change, error] {
	return func(yield func(mail.Change, error) bool) {
		for c, err := range f.Store.Since(ctx, id, v) {
			if !yield(c, err) {
				return
			}
		}
		if err := f.read(); err != nil {
			yield(nil, err)
		}
	}
}

// Vanished implements mail.Store.
func (f *Flaky) Vanished(ctx context.Context, id mail.AccountID, mailbox mail.MailboxID, since mail.ModSeq) (mail.UIDSet, error) {
	if err := f.read(); err != nil {
		return nil, err
	}
	return f.Store.Vanished(ctx, id, mailbox, since)
}

// SetRecent implements mail.Store.
func (f *Flaky) SetRecent(ctx context.Context, id mail.AccountID, mailbox mail.MailboxID, from mail.UID) error {
	if err := f.read(); err != nil {
		return err
	}
	return f.Store.SetRecent(ctx, id, mailbox, from)
}

// Derived implements mail.Store.
func (f *Flaky) Derived(ctx context.Context, id mail.AccountID, key string) ([]byte, error) {
	if err := f.read(); err != nil {
		return nil, err
	}
	return f.Store.Derived(ctx, id, key)
}

// PutDerived implements mail.Store.
func (f *Flaky) PutDerived(ctx context.Context, id mail.AccountID, key string, value []byte) error {
	if err := f.read(); err != nil {
		return err
	}
	return f.Store.PutDerived(ctx, id, key, value)
}

// DropDerived implements mail.Store.
func (f *Flaky) DropDerived(ctx context.Context, id mail.AccountID, prefix string, keep ...string) error {
	if err := f.read(); err != nil {
		return err
	}
	return f.Store.DropDerived(ctx, id, prefix, keep...)
}

// Create implements mail.Blobs.
func (f *Flaky) Create(ctx context.Context, id mail.AccountID, sizeHint int64) (mail.Upload, error) {
	if err := f.read(); err != nil {
		return nil, err
	}
	u, err := f.Store.Create(ctx, id, sizeHint)
	if err != nil {
		return nil, err
	}
	return &flakyUpload{u, f}, nil
}

// Open implements mail.Blobs.
func (f *Flaky) Open(ctx context.Context, id mail.AccountID, ref mail.Ref) (mail.Body, error) {
	if err := f.read(); err != nil {
		return nil, err
	}
	b, err := f.Store.Open(ctx, id, ref)
	if err != nil {
		return nil, err
	}
	return &flakyBody{b, f}, nil
}

type flakyUpload struct {
	mail.Upload
	f *Flaky
}

func (u *flakyUpload) Write(b []byte) (int, error) {
	if err := u.f.read(); err != nil {
		return 0, err
	}
	return u.Upload.Write(b)
}

func (u *flakyUpload) Finish(ctx context.Context) (mail.Ref, error) {
	if err := u.f.read(); err != nil {
		return mail.Ref{}, err
	}
	return u.Upload.Finish(ctx)
}

type flakyBody struct {
	mail.Body
	f *Flaky
}

func (b *flakyBody) ReadAt(p []byte, at int64) (int, error) {
	if err := b.f.read(); err != nil {
		return 0, err
	}
	return b.Body.ReadAt(p, at)
}
