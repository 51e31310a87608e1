// Package history plays one random history, made from one seed, through three processes that
// share a PostgreSQL (with and without S3) and through package mem: all answers and what is
// there at the end must be equal.
package history

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"

	"postfach/internal/mail"
	"postfach/internal/mailbox"
)

// step is one operation, as it travels to the process that does it.
type step struct {
	Account mail.AccountID
	Kind    string
	Name    string // of the mailbox
	To      string // of the other one
	UIDs    mail.UIDSet
	System  mail.Flags
	Words   []string
	Mode    mailbox.StoreMode
	Since   mail.ModSeq // UnchangedSince; 0: no test
	Any     bool
	Seed    uint64 // of a message
	Bytes   int    // of it
	Now     int64  // seconds
}

// answer is what a client could be told.
type answer struct {
	Fault                             string
	ModSeq                            mail.ModSeq
	Validity                          uint32
	Source, Target, Missing, Modified string
}

// clock stands still: what is stored must not depend on when it happened.
const clock = 1_700_000_000 // seconds

// do does a step as a session of this process would that is new: it asks the store first.
func do(ctx context.Context, e *mailbox.Engine, s *step) answer {
	r, err := try(ctx, e, s)
	if err != nil {
		return answer{Fault: mail.KindOf(err).String() + ": " + err.Error()}
	}
	return answer{"", r.ModSeq, r.UIDValidity, text(r.Source), text(r.Target), text(r.Missing), text(r.Modified)}
}

func text(u mail.UIDSet) string { return fmt.Sprint([]mail.Range(u)) }

func try(ctx context.Context, e *mailbox.Engine, s *step) (r mailbox.Result, err error) {
	a, err := e.Account(ctx, s.Account)
	if err != nil {
		return r, err
	}
	defer a.Release()
	if err := a.Sync(ctx); err != nil {
		return r, err
	}
	op, release, err := s.op(ctx, a)
	defer release()
	if err != nil {
		return r, err
	}
	if r, err = a.Do(ctx, op); err != nil {
		return r, err
	}
	return r, a.Await(ctx, r.Ticket)
}

var errNoMailbox = errors.New("no such mailbox here")

// op makes the operation. release must be called after it, also with an error.
func (s *step) op(ctx context.Context, a *mailbox.Account) (op mailbox.Op, release func(), err error) {
	release = func() {}
	switch s.Kind {
	case "create":
		return &mailbox.Create{Name: s.Name, Now: s.Now}, release, nil
	case "delete":
		return &mailbox.Delete{Name: s.Name}, release, nil
	case "rename":
		return &mailbox.Rename{From: s.Name, To: s.To, Now: s.Now}, release, nil
	case "subscribe":
		return &mailbox.Subscribe{Name: s.Name, On: s.Any}, release, nil
	}
	m, to := a.Tree().Lookup(s.Name), a.Tree().Lookup(s.To)
	if m == nil || s.To != "" && to == nil {
		return nil, release, errNoMailbox
	}
	switch s.Kind {
	case "append":
		u := a.Upload(ctx, int64(s.Bytes))
		op, err := s.append(u, m.ID)
		return op, u.Release, err
	case "store":
		return &mailbox.Store{Mailbox: m.ID, UIDs: s.UIDs, Test: s.Since > 0, UnchangedSince: s.Since,
			Change: mailbox.FlagChange{Mode: s.Mode, System: s.System, Keywords: s.Words}}, release, nil
	case "annotate":
		return &mailbox.Annotate{Mailbox: m.ID, Entries: []mailbox.AnnotationEntry{{Name: s.Words[0], Value: s.Words[1], Gone: s.Any}}}, release, nil
	case "expunge":
		return &mailbox.Expunge{Mailbox: m.ID, UIDs: s.UIDs, Any: s.Any}, release, nil
	case "copy", "move":
		return &mailbox.Copy{From: m.ID, To: to.ID, UIDs: s.UIDs, Move: s.Kind == "move", Now: s.Now}, release, nil
	}
	return nil, release, fmt.Errorf("what is %q?", s.Kind)
}

func (s *step) append(u *mailbox.Upload, id mail.MailboxID) (mailbox.Op, error) {
	body := fmt.Appendf(nil, "From: %d@example.org\r\nSubject: %d\r\n\r\n", s.Seed%10, s.Seed)
	fill := make([]byte, max(s.Bytes-len(body), 0))
	_, _ = rand.NewChaCha8([32]byte{byte(s.Seed), byte(s.Seed >> 8), byte(s.Seed >> 16)}).Read(fill)
	if _, err := u.Write(append(body, fill...)); err != nil {
		return nil, err
	}
	in, err := u.Finish()
	in.Date = mail.Stamp{Unix: s.Now - int64(s.Seed%1000), ZoneMinutes: 60}
	in.System, in.Keywords = s.System, s.Words
	return &mailbox.Append{Mailbox: id, Messages: []mailbox.Incoming{in}, Now: s.Now}, err
}
