package move_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"time"

	"postfach/internal/mail"
	"postfach/internal/mailbox"
)

// fate is what must have become of a message.
type fate struct {
	uid     mail.UID // 0: nobody has said
	flags   mail.Flags
	gone    bool
	unsure  bool // whether it came, or has gone
	unclear bool // which flags it has
	refused bool // it must not be there
}

// writer changes one mailbox, and notes what it has been told.
type writer struct {
	engine *mailbox.Engine
	id     mail.AccountID
	name   string
	r      *rand.Rand
	fates  map[[32]byte]*fate
	live   []*fate // with a UID
	acked  int
	away   int
	failed error
}

func newWriter(e *mailbox.Engine, id mail.AccountID, n int) *writer {
	return &writer{engine: e, id: id, name: fmt.Sprint("w", n), r: rand.New(rand.NewPCG(uint64(n), 4)), fates: map[[32]byte]*fate{}}
}

// run writes until the context ends.
func (w *writer) run(ctx context.Context) {
	for ctx.Err() == nil && w.failed == nil {
		a, err := w.engine.Account(context.Background(), w.id)
		if err != nil {
			w.away++
			time.Sleep(5 * time.Millisecond)
			continue
		}
		w.step(a)
		a.Release()
		time.Sleep(500 * time.Microsecond) // a busy account, not one that gets all there is
	}
}

func (w *writer) step(a *mailbox.Account) {
	m := a.Tree().Lookup(w.name)
	switch n := w.r.IntN(20); {
	case m == nil:
		w.do(a, &mailbox.Create{Name: w.name, Now: 1})
	case n < 10:
		w.append(a, m)
	case n < 15 && len(w.live) > 0:
		w.flag(a, m)
	case n < 18 && len(w.live) > 0:
		w.expunge(a, m)
	case n == 18:
		name := fmt.Sprint(w.name, "-", w.r.IntN(5))
		if a.Tree().Lookup(name) == nil {
			w.do(a, &mailbox.Create{Name: name, Now: 1})
		} else if w.r.IntN(2) == 0 {
			w.do(a, &mailbox.Delete{Name: name})
		} else {
			w.do(a, &mailbox.Rename{From: name, To: fmt.Sprint(w.name, "+", w.r.IntN(1000)), Now: 1})
		}
	default:
		w.do(a, &mailbox.Subscribe{Name: fmt.Sprint(w.name, w.r.IntN(9)), On: w.r.IntN(2) == 0})
	}
}

// do runs an operation. told: it has happened, durably. refused: it certainly has not.
func (w *writer) do(a *mailbox.Account, op mailbox.Op) (r mailbox.Result, told, refused bool) {
	r, err := a.Do(context.Background(), op)
	if err == nil {
		err = a.Await(context.Background(), r.Ticket)
		if err == nil {
			w.acked++
			return r, true, false
		}
		return r, false, false
	}
	w.away++
	switch mail.KindOf(err) {
	case mail.Unavailable:
	case mail.Away, mail.Elsewhere, mail.Busy:
		refused = true
		time.Sleep(time.Millisecond)
	case mail.NotFound, mail.Exists:
		refused = true // somebody else's name
	default:
		w.failed = err
	}
	return r, false, refused
}

func (w *writer) append(a *mailbox.Account, m *mailbox.Mailbox) {
	u := a.Upload(context.Background(), -1)
	defer u.Release()
	body := fmt.Appendf(nil, "Subject: %s %d\r\n\r\n", w.name, len(w.fates))
	if w.r.IntN(15) == 0 {
		body = append(body, make([]byte, 40_000)...)
	}
	f := &fate{}
	w.fates[sha256.Sum256(body)] = f
	_, err := u.Write(body)
	var in mailbox.Incoming
	if err == nil {
		in, err = u.Finish()
	}
	if err != nil {
		f.refused = true
		return
	}
	r, told, refused := w.do(a, &mailbox.Append{Mailbox: m.ID, Messages: []mailbox.Incoming{in}, Now: 1})
	f.unsure, f.refused = !told, refused
	if told && len(r.Target) == 1 {
		f.uid = mail.UID(r.Target[0].First)
		w.live = append(w.live, f)
	}
}

func (w *writer) flag(a *mailbox.Account, m *mailbox.Mailbox) {
	f := w.live[w.r.IntN(len(w.live))]
	flags := mail.Flags(w.r.IntN(32))
	op := &mailbox.Store{Mailbox: m.ID, UIDs: mail.UIDs(f.uid), Change: mailbox.FlagChange{Mode: mailbox.Replace, System: flags}}
	_, told, refused := w.do(a, op)
	if told {
		f.flags, f.unclear = flags, false
	} else if !refused {
		f.unclear = true
	}
}

func (w *writer) expunge(a *mailbox.Account, m *mailbox.Mailbox) {
	n := w.r.IntN(len(w.live))
	f := w.live[n]
	_, told, refused := w.do(a, &mailbox.Expunge{Mailbox: m.ID, UIDs: mail.UIDs(f.uid), Any: true})
	if refused {
		return
	}
	f.gone, f.unsure = told, !told
	w.live = append(w.live[:n], w.live[n+1:]...)
}

// judge compares what is there with what the writer was told.
func (w *writer) judge(ctx context.Context, s mail.Store, state *mail.AccountState, complain func(string, ...any)) {
	var id mail.MailboxID
	for _, m := range state.Mailboxes {
		if m.Name == w.name {
			id = m.ID
		}
	}
	_, rows, err := s.LoadMailbox(ctx, w.id, id)
	if err != nil {
		complain("%s: %v", w.name, err)
		return
	}
	there := map[[32]byte]mail.Row{}
	for row, err := range rows {
		if err != nil {
			complain("%s: %v", w.name, err)
			return
		}
		m, err := s.Message(ctx, w.id, row.Message)
		if err != nil {
			complain("%s: message %d: %v", w.name, row.UID, err)
			return
		}
		if _, twice := there[m.Digest]; twice {
			complain("%s: message %d is there twice", w.name, row.UID)
		}
		there[m.Digest] = row
	}
	for digest, f := range w.fates {
		row, found := there[digest]
		switch {
		case f.refused && found, f.gone && found:
			complain("%s: message %d is there: %+v", w.name, row.UID, *f)
		case f.refused || f.gone || f.unsure:
		case !found:
			complain("%s: a message is lost: %+v", w.name, *f)
		case f.uid != 0 && row.UID != f.uid:
			complain("%s: message %d has become %d", w.name, f.uid, row.UID)
		case !f.unclear && row.Flags != f.flags:
			complain("%s: message %d has flags %d, not %d", w.name, row.UID, row.Flags, f.flags)
		}
	}
}
