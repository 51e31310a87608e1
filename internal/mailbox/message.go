package mailbox

import (
	"bytes"
	"context"

	"postfach/internal/mail"
)

// Message returns the immutable part of a message. It is there as long as a view
// counts the message.
func (a *Account) Message(ctx context.Context, id mail.MessageID) (*mail.Message, error) {
	return a.engine.store.Message(ctx, a.ID, id)
}

// Body opens the bytes of a message.
func (a *Account) Body(ctx context.Context, m *mail.Message) (mail.Body, error) {
	if m.Body.Inline {
		b, err := a.engine.store.Inline(ctx, a.ID, m.ID)
		if err != nil {
			return nil, err
		}
		return newInlineBody(b), nil
	}
	body, err := a.engine.blobs.Open(ctx, a.ID, m.Body)
	if !mail.Is(err, mail.NotFound) {
		return body, err
	}
	// The sweeper has moved it since the message was read.
	if m, err = a.Message(ctx, m.ID); err != nil {
		return nil, err
	}
	return a.engine.blobs.Open(ctx, a.ID, m.Body)
}

type inlineBody struct{ bytes.Reader }

func newInlineBody(b []byte) *inlineBody {
	body := new(inlineBody)
	body.Reset(b)
	return body
}

func (*inlineBody) Close() error { return nil }

// CheckRoom refuses a message of so many bytes that could not be appended now: too
// large, or the account would grow by more bytes than its quota allows. It is asked
// before the message is sent; the commit asks again.
func (a *Account) CheckRoom(message, growth int64) error {
	l := &a.engine.limits
	if message > l.MessageBytesMax {
		return mail.Errorf(mail.TooBig, "a message can have %d bytes at most", l.MessageBytesMax)
	}
	return l.checkQuota(a.bytes.Load(), growth)
}

// checkQuota refuses what would make an account too large. What makes it smaller is
// never refused.
func (l *Limits) checkQuota(bytes, growth int64) error {
	if l.QuotaBytes > 0 && growth > 0 && bytes+growth > l.QuotaBytes {
		return mail.Errorf(mail.OverQuota, "the account is full")
	}
	return nil
}
