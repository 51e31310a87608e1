package mailbox

import (
	"context"
	"sync"

	"postfach/internal/mail"
	"postfach/internal/mime"
)

var inlineBuffers = sync.Pool{New: func() any { return new([mail.InlineBytesMax]byte) }}

// Opener opens an account's messages one after the other. It keeps the record of the last
// one, whose structure and body mostly are wanted one after the other, and reads with a
// reader as soon as a second message is wanted. It is not safe for concurrent use. Who has
// opened messages calls Release.
type Opener struct {
	account *Account
	record  *mail.Message
	last    mail.MessageID // that was asked for
	reader  mail.Reader    // nil: more than one message has not been wanted yet
	shared  bool           // reader is not this one's own

	inline inlineBody
	buffer *[mail.InlineBytesMax]byte // of inline; nil: there is none
	whole  wholeBody
}

// Opener makes an opener.
func (a *Account) Opener() *Opener { return &Opener{account: a} }

// Reader makes a reader of the account's messages, which openers can share one after the other.
func (a *Account) Reader(ctx context.Context) mail.Reader { return a.engine.store.Reader(ctx, a.ID) }

// OpenerOn makes an opener that reads with a reader.
func (a *Account) OpenerOn(r mail.Reader) *Opener {
	return &Opener{account: a, reader: r, shared: true}
}

// Expect says that more than one message is going to be opened.
func (o *Opener) Expect(ctx context.Context) {
	if o.reader == nil {
		o.reader = o.account.Reader(ctx)
	}
}

// goTo says which message is wanted.
func (o *Opener) goTo(ctx context.Context, id mail.MessageID) {
	if o.last != 0 && o.last != id {
		o.Expect(ctx)
	}
	o.last = id
}

// Message returns what is immutable about a message.
func (o *Opener) Message(ctx context.Context, id mail.MessageID) (m *mail.Message, err error) {
	if o.record != nil && o.record.ID == id {
		return o.record, nil
	}
	o.goTo(ctx, id)
	if o.reader != nil {
		m = o.reader.Message(id)
	}
	if m == nil {
		m, err = o.account.Message(ctx, id)
	}
	o.record = m
	return m, err
}

// Structure returns the structure of a message.
func (o *Opener) Structure(ctx context.Context, id mail.MessageID) (*mime.Structure, error) {
	m, err := o.Message(ctx, id)
	if err != nil {
		return nil, err
	}
	return o.account.Structure(ctx, m)
}

// Body opens the bytes of a message. It must be closed before the next one is opened.
// The record of a message whose bytes a reader has is not read.
func (o *Opener) Body(ctx context.Context, id mail.MessageID) (mail.Body, error) {
	return o.body(ctx, id, true)
}

// body is Body. small: it may be inline.
func (o *Opener) body(ctx context.Context, id mail.MessageID, small bool) (mail.Body, error) {
	o.goTo(ctx, id)
	known := o.record != nil && o.record.ID == id
	if o.reader != nil && !known {
		if at, ok := o.reader.Place(id); ok {
			body, err := o.account.engine.blobs.Open(ctx, o.account.ID, at)
			if !mail.Is(err, mail.NotFound) {
				return body, err
			} // the sweeper has moved it
		}
	}
	if o.reader != nil && small && (!known || o.record.Body.Inline) {
		if o.buffer == nil {
			o.buffer = inlineBuffers.Get().(*[mail.InlineBytesMax]byte)
		}
		if n, ok := o.reader.Inline(id, o.buffer[:]); ok {
			o.inline.Reset(o.buffer[:n])
			return &o.inline, nil
		}
	}
	m, err := o.Message(ctx, id)
	if err != nil {
		return nil, err
	}
	return o.account.Body(ctx, m)
}

// Release gives memory back. No body is open any more; others may be opened.
func (o *Opener) Release() {
	if o.reader != nil && !o.shared {
		o.reader.Rest()
		o.reader = nil
	}
	o.record, o.last = nil, 0
	o.inline.Reset(nil)
	if o.buffer != nil {
		inlineBuffers.Put(o.buffer)
		o.buffer = nil
	}
}

// Close ends the use of the account, for those who have it only to read messages.
func (o *Opener) Close() {
	o.Release()
	o.account.Release()
}
