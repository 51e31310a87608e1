package imap

import (
	"context"

	"postfach/internal/mail"
	"postfach/internal/mime"
)

// searchOpener opens messages for a search. It keeps the record of the last one,
// whose structure and body mostly are wanted one after the other.
type searchOpener struct {
	s      *session
	record *mail.Message
}

func (o *searchOpener) open(ctx context.Context, id mail.MessageID) (err error) {
	if o.record == nil || o.record.ID != id {
		o.record, err = o.s.account.Message(ctx, id)
	}
	return err
}

// Message implements search.Opener.
func (o *searchOpener) Message(ctx context.Context, id mail.MessageID) (*mail.Message, error) {
	err := o.open(ctx, id)
	return o.record, err
}

// Structure implements search.Opener.
func (o *searchOpener) Structure(ctx context.Context, id mail.MessageID) (*mime.Structure, error) {
	if err := o.open(ctx, id); err != nil {
		return nil, err
	}
	return o.s.account.Structure(ctx, o.record)
}

// Body implements search.Opener.
func (o *searchOpener) Body(ctx context.Context, id mail.MessageID) (mail.Body, error) {
	if err := o.open(ctx, id); err != nil {
		return nil, err
	}
	return o.s.account.Body(ctx, o.record)
}
