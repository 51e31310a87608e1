package storetest

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"postfach/internal/mail"
	"postfach/internal/store/mem"
)

var historySteps = flag.Int("store.steps", 400, "commits of one random history")
var historySeeds = flag.Int("store.seeds", 3, "random histories")

// histories applies random histories to the store under test and to the oracle.
func histories(t *testing.T, config func(t *testing.T) Config) {
	for seed := range uint64(*historySeeds) {
		t.Run(fmt.Sprint("seed", seed), func(t *testing.T) {
			h := &harness{T: t, config: config(t), ctx: t.Context()}
			h.open()
			oracle := &harness{T: t, config: Config{Volatile: true}, ctx: t.Context(), Store: mem.New(Env()), id: h.id}
			oracle.must(oracle.AddAccount(h.ctx, mail.Account{ID: h.id, Name: "anna", Secret: "x", Created: now}))
			r := rand.New(rand.NewPCG(seed, 7))
			g := NewGenerator(r)
			for step := range *historySteps {
				c := g.Next()
				twice(h, oracle, c)
				if step%97 == 96 {
					h.reopen()
				}
				if step%61 == 60 {
					before := g.now - int64(r.IntN(2000))
					h.sweep(before, nil)
					oracle.sweep(before, nil)
				}
				if step%50 == 49 {
					Compare(t, h.Store, oracle.Store, h.id, g.Ops())
				}
			}
			h.reopen()
			Compare(t, h.Store, oracle.Store, h.id, g.Ops())
			h.close()
		})
	}
}

// twice commits the same to both stores.
func twice(h, oracle *harness, c *mail.Commit) {
	h.Helper()
	c.Account = h.id
	again := *c
	if c.Blind {
		again.Changes = cloneBlind(c.Changes)
	}
	got, err := h.Commit(h.ctx, c)
	want, oracleErr := oracle.Commit(h.ctx, &again)
	if (err == nil) != (oracleErr == nil) || mail.KindOf(err) != mail.KindOf(oracleErr) {
		h.Fatalf("commit: %v, the oracle says %v", err, oracleErr)
	}
	equal(h, "version", got.Version, want.Version)
}

func cloneBlind(changes []mail.Change) (clones []mail.Change) {
	for _, change := range changes {
		c := *change.(*mail.Appended)
		c.Arrivals = slices.Clone(c.Arrivals)
		for i := range c.Arrivals {
			m := *c.Arrivals[i].Message
			c.Arrivals[i].Message = &m
		}
		clones = append(clones, &c)
	}
	return clones
}

// Compare fails unless all that can be seen of an account is the same in both stores.
// Vanished may name more in got, but nothing that is there.
func Compare(t *testing.T, got, want Store, id mail.AccountID, ops []mail.OpID) {
	t.Helper()
	h := &harness{T: t, ctx: t.Context(), Store: got, id: id}
	o := &harness{T: t, ctx: t.Context(), Store: want, id: id}
	a, b := h.state(), o.state()
	a.Ticket, b.Ticket = mail.Ticket{}, mail.Ticket{}
	byID := func(x, y mail.MailboxState) int { return int(x.ID) - int(y.ID) }
	slices.SortFunc(a.Mailboxes, byID)
	slices.SortFunc(b.Mailboxes, byID)
	if !reflect.DeepEqual(a, b) {
		t.Fatalf("account:\n got %+v\nwant %+v", a, b)
	}
	for _, m := range a.Mailboxes {
		rows := o.rows(m.ID)
		equalSlices(h, fmt.Sprintf("rows of mailbox %d", m.ID), h.rows(m.ID), rows)
		for _, since := range []mail.ModSeq{0, m.HighestModSeq / 2, m.HighestModSeq - 1, m.HighestModSeq} {
			compareVanished(h, o, m.ID, since, rows)
		}
	}
	for message := mail.MessageID(1); message < a.NextMessage; message++ {
		x, err := got.Message(h.ctx, id, message)
		y, oracleErr := want.Message(h.ctx, id, message)
		if mail.KindOf(err) != mail.KindOf(oracleErr) || !reflect.DeepEqual(unplaced(x), unplaced(y)) {
			t.Fatalf("message %d: got %+v %v, want %+v %v", message, x, err, y, oracleErr)
		}
		if err == nil && !bytes.Equal(h.body(message), o.body(message)) {
			t.Fatalf("message %d has other bytes", message)
		}
	}
	for _, op := range ops {
		v, found, err := got.Outcome(h.ctx, id, op)
		h.must(err)
		w, there, err := want.Outcome(h.ctx, id, op)
		h.must(err)
		if found && there && v != w || there && !found {
			t.Fatalf("outcome of %s: got %d %v, want %d %v", op, v, found, w, there)
		}
	}
}

// unplaced is a message without the place of its bytes, which is the store's own affair.
func unplaced(m *mail.Message) mail.Message {
	if m == nil {
		return mail.Message{}
	}
	c := *m
	c.Body = mail.Ref{}
	return c
}

func compareVanished(h, o *harness, mailbox mail.MailboxID, since mail.ModSeq, rows []mail.Row) {
	h.Helper()
	gone, err := h.Vanished(h.ctx, h.id, mailbox, since)
	h.must(err)
	exact, err := o.Vanished(h.ctx, h.id, mailbox, since)
	h.must(err)
	for _, r := range exact {
		for uid := r.First; uid <= r.Last; uid++ {
			if !gone.Contains(mail.UID(uid)) {
				h.Fatalf("mailbox %d since %d: %d has vanished and is not named", mailbox, since, uid)
			}
		}
	}
	for _, row := range rows {
		if gone.Contains(row.UID) {
			h.Fatalf("mailbox %d since %d: %d is named and still there", mailbox, since, row.UID)
		}
	}
}
