package delivery

import (
	"context"
	"strings"
	"sync"

	"postfach/internal/mail"
	"postfach/internal/mailbox"
)

// transfer writes one message to all recipients in the same pass.
type transfer struct {
	delivery *Delivery
	copies   []*parcel
	byRank   []*parcel // for each recipient; two may share one
	ended    bool
}

// parcel is the message on its way to one mailbox.
type parcel struct {
	account *mailbox.Account
	mailbox *mailbox.Mailbox
	upload  *mailbox.Upload
	err     error // why it can't be delivered
}

// Begin implements Deliverer. Recipients that mean the same mailbox share one copy.
func (d *Delivery) Begin(ctx context.Context, e Envelope, to []Recipient) Transfer {
	t := &transfer{delivery: d, copies: make([]*parcel, 0, len(to)), byRank: make([]*parcel, 0, len(to))}
	type place struct {
		account mail.AccountID
		mailbox mail.MailboxID
	}
	var seen map[place]*parcel
	if len(to) > 1 {
		seen = make(map[place]*parcel)
	}
	for _, r := range to {
		p := d.pack(ctx, r)
		if p.err == nil {
			at := place{r.Account, p.mailbox.ID}
			if same := seen[at]; same != nil {
				p.account.Release()
				t.byRank = append(t.byRank, same)
				continue
			}
			if seen != nil {
				seen[at] = p
			}
			p.upload = p.account.Upload(ctx, -1)
			if e.Trace {
				p.write(trace(e, r))
			}
		}
		t.byRank = append(t.byRank, p)
		t.copies = append(t.copies, p)
	}
	return t
}

func (d *Delivery) pack(ctx context.Context, r Recipient) *parcel {
	a, err := d.engine.Account(ctx, r.Account)
	if err != nil {
		return &parcel{err: err}
	}
	m := target(a.Tree(), r.Detail)
	if m == nil {
		a.Release()
		return &parcel{err: mail.Errorf(mail.Internal, "the account has no INBOX")}
	}
	return &parcel{account: a, mailbox: m}
}

// trace is what the final delivery writes in front of a message (RFC 5321 4.4): the
// reverse-path, and the address, by which the owner knows which of his names was used.
// Addresses that were resolved have no control characters.
func trace(e Envelope, r Recipient) []byte {
	from := e.From
	if strings.ContainsFunc(from, isControl) || len(from) > AddressBytesMax {
		from = ""
	}
	return []byte("Return-Path: <" + from + ">\r\nDelivered-To: " + r.Address + "\r\n")
}

// write gives the parcel more of the message, unless it has failed.
func (p *parcel) write(b []byte) {
	if p.err != nil {
		return
	}
	if _, err := p.upload.Write(b); err != nil {
		p.err = err
		p.upload.Release()
	}
}

// Write implements Transfer.
func (t *transfer) Write(b []byte) (int, error) {
	for _, p := range t.copies {
		p.write(b)
	}
	return len(b), nil
}

// Finish implements Transfer. All copies go their way at once, so that they share
// the syncs.
func (t *transfer) Finish(ctx context.Context) []error {
	var wg sync.WaitGroup
	for _, p := range t.copies[min(1, len(t.copies)):] {
		wg.Go(func() { p.deliver(ctx, t.delivery.engine.Env()) })
	}
	if len(t.copies) > 0 {
		t.copies[0].deliver(ctx, t.delivery.engine.Env())
	}
	wg.Wait()
	results := make([]error, len(t.byRank))
	for i, p := range t.byRank {
		results[i] = p.err
	}
	t.Discard()
	return results
}

// deliver makes the bytes durable, appends the message and waits until that is
// durable too.
func (p *parcel) deliver(ctx context.Context, env *mail.Env) {
	if p.err != nil {
		return
	}
	in, err := p.upload.Finish()
	if err != nil {
		p.err = err
		return
	}
	now := env.Now()
	in.Date = mail.StampOf(now)
	op := &mailbox.Append{Mailbox: p.mailbox.ID, Messages: []mailbox.Incoming{in}, Now: now.Unix()}
	result, err := p.account.DoAwaited(ctx, op)
	if inbox := p.account.Tree().Lookup(mailbox.Inbox); mail.Is(err, mail.NotFound) && inbox != nil && inbox != p.mailbox {
		op.Mailbox = inbox.ID // the mailbox has been deleted meanwhile
		result, err = p.account.DoAwaited(ctx, op)
	}
	if err == nil {
		err = p.account.Await(ctx, result.Ticket)
		if err != nil && !mail.Is(err, mail.Unavailable) {
			err = mail.Wrap(mail.Unavailable, err) // decided, but nobody knows whether it stays
		}
	}
	p.err = err
}

// Discard implements Transfer.
func (t *transfer) Discard() {
	if t.ended {
		return
	}
	t.ended = true
	for _, p := range t.copies {
		if p.upload != nil {
			p.upload.Release()
		}
		if p.account != nil {
			p.account.Release()
		}
	}
}
