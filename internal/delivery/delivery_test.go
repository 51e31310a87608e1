package delivery

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"postfach/internal/mail"
	"postfach/internal/mailbox"
	"postfach/internal/store/mem"
)

func setup(t *testing.T) (*Delivery, *mem.Store, *mailbox.Engine) {
	t.Helper()
	env := &mail.Env{Now: time.Now, Random: rand.Reader, Log: slog.New(slog.DiscardHandler)}
	store := mem.New(env)
	for i, name := range []string{"anna", "anna@own.test", "bert"} {
		if err := store.AddAccount(t.Context(), mail.Account{ID: mail.AccountID(i + 1), Name: name}); err != nil {
			t.Fatal(err)
		}
	}
	engine := mailbox.New(store, store, env, mailbox.Limits{MessageBytesMax: 100_000})
	normal := func(name string) (string, error) {
		if strings.Contains(name, "!") {
			return "", errors.New("no name")
		}
		return strings.ToLower(name), nil
	}
	return New(engine, normal), store, engine
}

func TestResolve(t *testing.T) {
	d, store, _ := setup(t)
	for _, c := range []struct {
		address string
		id      mail.AccountID
		detail  string
		kind    mail.Kind
	}{
		{"anna", 1, "", 0},
		{"anna@any.test", 1, "", 0},
		{"ANNA@Own.Test", 2, "", 0},
		{"anna+a+b@own.test", 2, "a+b", 0},
		{"bert+x", 3, "x", 0},
		{"carl@any.test", 0, "", mail.NotFound},
		{"a!b@any.test", 0, "", mail.NotFound},
		{"+x@any.test", 0, "", mail.NotFound},
		{"an na", 0, "", mail.Invalid},
	} {
		r, err := d.Resolve(t.Context(), c.address)
		if r.Account != c.id || r.Detail != c.detail || (err != nil) != (c.id == 0) || err != nil && mail.KindOf(err) != c.kind {
			t.Errorf("%s: %+v, %v", c.address, r, err)
		}
	}
	store.Close()
	if _, err := d.Resolve(t.Context(), "anna"); !mail.Is(err, mail.Unavailable) {
		t.Errorf("store away: %v", err)
	}
}

// A mailbox that is deleted while the message comes in: it goes to INBOX.
func TestMailboxDeletedMeanwhile(t *testing.T) {
	d, _, engine := setup(t)
	ctx := context.Background()
	a, err := engine.Account(ctx, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Release()
	if _, err := a.Do(ctx, &mailbox.Create{Name: "lists"}); err != nil {
		t.Fatal(err)
	}
	r, err := d.Resolve(ctx, "anna+lists")
	if err != nil {
		t.Fatal(err)
	}
	transfer := d.Begin(ctx, Envelope{}, []Recipient{r})
	io.WriteString(transfer, "x")
	if _, err := a.Do(ctx, &mailbox.Delete{Name: "lists"}); err != nil {
		t.Fatal(err)
	}
	if errs := transfer.Finish(ctx); len(errs) != 1 || errs[0] != nil {
		t.Fatal(errs)
	}
	if n := a.Tree().Lookup("INBOX").Status().Messages; n != 1 {
		t.Errorf("INBOX has %d messages", n)
	}
}

// What is wrong with one recipient stays with that one, and nothing is left over.
func TestOneFailsOthersDoNot(t *testing.T) {
	d, store, engine := setup(t)
	ctx := context.Background()
	var to []Recipient
	for _, address := range []string{"anna", "bert", "anna@own.test"} {
		r, err := d.Resolve(ctx, address)
		if err != nil {
			t.Fatal(err)
		}
		to = append(to, r)
	}
	if err := engine.Remove(ctx, 3); err != nil {
		t.Fatal(err)
	}
	transfer := d.Begin(ctx, Envelope{Trace: true, From: "a\r\nb@c"}, to)
	io.WriteString(transfer, strings.Repeat("x", mail.InlineBytesMax+1))
	errs := transfer.Finish(ctx)
	if errs[0] != nil || !mail.Is(errs[1], mail.NotFound) || errs[2] != nil {
		t.Errorf("results %v", errs)
	}
	if _, err := store.Sweep(ctx, mail.Sweep{Pinned: func(mail.AccountID, mail.MailboxID) mail.ModSeq { return ^mail.ModSeq(0) }}); err != nil {
		t.Fatal(err)
	}
	a, err := engine.Account(ctx, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Release()
	m, err := a.Message(ctx, 1)
	if err != nil {
		t.Fatal(err)
	}
	body, err := a.Body(ctx, m)
	if err != nil {
		t.Fatalf("the bytes of a delivered message were swept: %v", err)
	}
	head := make([]byte, 40)
	body.ReadAt(head, 0)
	if want := "Return-Path: <>\r\nDelivered-To: anna\r\nxxx"; string(head) != want {
		t.Errorf("begins with %q, want %q", head, want)
	}
}

func TestTooBig(t *testing.T) {
	d, _, _ := setup(t)
	ctx := context.Background()
	r, err := d.Resolve(ctx, "anna")
	if err != nil {
		t.Fatal(err)
	}
	for size, kind := range map[int64]mail.Kind{d.SizeMax(): mail.Internal, 100_001: mail.TooBig} {
		transfer := d.Begin(ctx, Envelope{Trace: true, From: strings.Repeat("x", AddressBytesMax)}, []Recipient{r})
		if n, err := transfer.Write(make([]byte, size)); n != int(size) || err != nil {
			t.Errorf("a write never fails: %d %v", n, err)
		}
		transfer.Write([]byte("x")[:0])
		err := transfer.Finish(ctx)[0]
		if ok := kind == mail.Internal; (err == nil) != ok || !ok && !mail.Is(err, kind) {
			t.Errorf("%d bytes: %v", size, err)
		}
		transfer.Discard()
	}
}
