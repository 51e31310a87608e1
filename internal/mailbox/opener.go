package mailbox

import (
	"bytes"
	"context"
	"sync"

	"postfach/internal/mail"
	"postfach/internal/mime"
)

var aheadBuffers = sync.Pool{New: func() any { return new([aheadBytesMax]byte) }}

// Opener opens an account's messages one after the other. It keeps the record of the last
// one, whose structure and body mostly are wanted one after the other, and reads ahead
// while messages are opened in the order in which they came. It is not safe for
// concurrent use.
type Opener struct {
	account *Account
	record  *mail.Message
	records ahead[*mail.Message]
	inlines ahead[[]byte]
	buffer  *[aheadBytesMax]byte // of the inlines; nil: there are none
}

// Opener makes an opener.
func (a *Account) Opener() *Opener { return &Opener{account: a} }

// Expect says that about so many neighbours are going to be opened, from the next one on.
func (o *Opener) Expect(n uint32) {
	o.records.expect(n)
	o.inlines.expect(n)
}

// Message returns what is immutable about a message.
func (o *Opener) Message(ctx context.Context, id mail.MessageID) (_ *mail.Message, err error) {
	if o.record != nil && o.record.ID == id {
		return o.record, nil
	}
	m, ok := o.records.find(id)
	if !ok {
		if n := o.records.next(id); n > 1 {
			o.readRecords(ctx, id, n)
			m, ok = o.records.find(id)
		}
	}
	if !ok {
		m, err = o.account.Message(ctx, id)
	}
	o.record = m
	return m, err
}

func (o *Opener) readRecords(ctx context.Context, from mail.MessageID, n int) {
	bytes := 0
	for m := range o.account.engine.store.Messages(ctx, o.account.ID, from) {
		o.records.add(m.ID, m)
		if bytes += len(m.Structure); len(o.records.read) >= n || bytes >= aheadBytesMax {
			return
		}
	}
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
func (o *Opener) Body(ctx context.Context, id mail.MessageID) (mail.Body, error) {
	m, err := o.Message(ctx, id)
	if err != nil {
		return nil, err
	}
	if !m.Body.Inline {
		return o.account.Body(ctx, m)
	}
	b, ok := o.inlines.find(id)
	if !ok {
		if n := o.inlines.next(id); n > 1 {
			o.readInlines(ctx, id, n)
			b, ok = o.inlines.find(id)
		}
	}
	if !ok {
		return o.account.Body(ctx, m)
	}
	return inlineBody{bytes.NewReader(b)}, nil
}

func (o *Opener) readInlines(ctx context.Context, from mail.MessageID, n int) {
	if o.buffer == nil {
		o.buffer = aheadBuffers.Get().(*[aheadBytesMax]byte)
	}
	room := o.buffer[:]
	for id, b := range o.account.engine.store.Inlines(ctx, o.account.ID, from) {
		if len(b) > len(room) {
			return
		}
		own := room[:copy(room, b):len(b)]
		room = room[len(b):]
		if o.inlines.add(id, own); len(o.inlines.read) >= n {
			return
		}
	}
}

// Release gives memory back. No body is open any more; others may be opened.
func (o *Opener) Release() {
	o.record = nil
	o.records.forget()
	o.inlines.forget()
	if o.buffer != nil {
		aheadBuffers.Put(o.buffer)
		o.buffer = nil
	}
}

// Close ends the use of the account, for those who have it only to read messages.
func (o *Opener) Close() { o.account.Release() }
