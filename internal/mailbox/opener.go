package mailbox

import (
	"context"

	"postfach/internal/mail"
	"postfach/internal/mime"
)

// Opener opens an account's messages one after the other. It keeps the record of the last
// one, whose structure and body mostly are wanted one after the other. It is not safe for
// concurrent use.
type Opener struct {
	account *Account
	record  *mail.Message
}

// Opener makes an opener.
func (a *Account) Opener() *Opener { return &Opener{account: a} }

// Message returns what is immutable about a message.
func (o *Opener) Message(ctx context.Context, id mail.MessageID) (_ *mail.Message, err error) {
	if o.record == nil || o.record.ID != id {
		o.record, err = o.account.Message(ctx, id)
	}
	return o.record, err
}

// Structure returns the structure of a message.
func (o *Opener) Structure(ctx context.Context, id mail.MessageID) (*mime.Structure, error) {
	m, err := o.Message(ctx, id)
	if err != nil {
		return nil, err
	}
	return o.account.Structure(ctx, m)
}

// Body opens the bytes of a message.
func (o *Opener) Body(ctx context.Context, id mail.MessageID) (mail.Body, error) {
	m, err := o.Message(ctx, id)
	if err != nil {
		return nil, err
	}
	return o.account.Body(ctx, m)
}

// Close ends the use of the account, for those who have it only to read messages.
func (o *Opener) Close() { o.account.Release() }
