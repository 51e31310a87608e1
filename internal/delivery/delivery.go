package delivery

import (
	"context"
	"strings"

	"postfach/internal/mail"
	"postfach/internal/mailbox"
)

// Deliverer is what a protocol needs: it resolves recipients one by one, then
// begins one transfer to all of them.
type Deliverer interface {
	// Resolve finds who an address means: NotFound, Invalid, or Away or Unavailable when
	// the store is away.
	Resolve(ctx context.Context, address string) (Recipient, error)
	// Begin starts the transfer of one message.
	Begin(ctx context.Context, e Envelope, to []Recipient) Transfer
	// SizeMax is the size in bytes up to which a message is taken.
	SizeMax() int64
}

// Transfer is one message on its way to its recipients.
type Transfer interface {
	// Write takes more of the message. It never fails as a whole: what is wrong
	// with one recipient is told by Finish.
	Write(b []byte) (int, error)
	// Finish delivers and returns one result for each recipient, in their order. Nil: the
	// message is durable in that recipient's mailbox. Every error but Unavailable means that it
	// is not there; after Unavailable nobody knows. The transfer has then ended.
	Finish(ctx context.Context) []error
	// Discard ends a transfer that was not finished. It may be called after Finish.
	Discard()
}

// Recipient is one recipient of a message.
type Recipient struct {
	Address string // as the sender wrote it
	Account mail.AccountID
	Detail  string // what was behind "+" in the local part
}

// Envelope is what is known about a message beside its bytes.
type Envelope struct {
	From string // the reverse-path without brackets, empty for a bounce
	// Trace adds Return-Path (RFC 5321 4.4) and Delivered-To in front of the message.
	// Behind them the message is stored byte for byte as it came.
	Trace bool
}

// Delivery is the Deliverer of an engine.
type Delivery struct {
	engine *mailbox.Engine
	normal func(name string) (string, error)
}

var _ Deliverer = (*Delivery)(nil)

// New makes a Delivery into the accounts of an engine. normal brings a name into the form in
// which accounts are found, or fails for one that no account can have: auth.CheckName.
func New(engine *mailbox.Engine, normal func(name string) (string, error)) *Delivery {
	return &Delivery{engine, normal}
}

// traceBytesMax is more than what is written in front of a message.
const traceBytesMax = 2 << 10

// SizeMax implements Deliverer.
func (d *Delivery) SizeMax() int64 { return d.engine.Limits().MessageBytesMax - traceBytesMax }

// Resolve implements Deliverer. The account of <anna+lists@example.org> is
// anna@example.org if there is one, else anna: a bare account takes mail for every domain
// that the MTA sends here.
func (d *Delivery) Resolve(ctx context.Context, address string) (Recipient, error) {
	a, err := ParseAddress(address)
	if err != nil {
		return Recipient{}, err
	}
	local, detail, _ := strings.Cut(a.Local, "+")
	names := []string{local}
	if a.Domain != "" {
		names = []string{local + "@" + a.Domain, local}
	}
	for _, n := range names {
		name, err := d.normal(n)
		if err != nil {
			continue // no account can have it
		}
		account, err := d.engine.Store().Account(ctx, name)
		switch {
		case err == nil:
			return Recipient{Address: address, Account: account.ID, Detail: detail}, nil
		case !mail.Is(err, mail.NotFound):
			return Recipient{}, err
		}
	}
	return Recipient{}, mail.Errorf(mail.NotFound, "no such user")
}

// notByDetail are the special uses that strangers can't deliver to by writing to
// anna+sent@: what is there seems to be written or dealt with by the owner.
const notByDetail = mail.UseDrafts | mail.UseSent | mail.UseTrash | mail.UseMemos | mail.UseScheduled | mail.UseSnoozed

// target finds the mailbox for a detail: the one of this name in any case, at the top or
// below INBOX, else INBOX.
func target(t *mailbox.Tree, detail string) *mailbox.Mailbox {
	inbox := t.Lookup(mailbox.Inbox)
	if detail == "" {
		return inbox
	}
	var found *mailbox.Mailbox
	below := mailbox.Inbox + string(mailbox.Delimiter) + detail
	for e := range t.All() {
		switch {
		case e.Name == detail:
			found = e.Mailbox
		case found == nil && (strings.EqualFold(e.Name, detail) || strings.EqualFold(e.Name, below)):
			found = e.Mailbox
		default:
			continue
		}
		if found.Status().Use&notByDetail != 0 {
			found = nil
		} else if e.Name == detail {
			return found
		}
	}
	if found == nil {
		return inbox
	}
	return found
}
