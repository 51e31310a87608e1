package storetest

import (
	"errors"
	"fmt"
	"reflect"

	"postfach/internal/mail"
)

func testDirectory(h *harness) {
	h.want(mail.Exists, h.AddAccount(h.ctx, mail.Account{ID: 99, Name: "anna"}))
	h.want(mail.Exists, h.AddAccount(h.ctx, mail.Account{ID: h.id, Name: "other"}))
	h.want(mail.Invalid, h.AddAccount(h.ctx, mail.Account{ID: 0, Name: "zero"}))
	h.want(mail.Invalid, h.AddAccount(h.ctx, mail.Account{ID: 1 << 63, Name: "big"}))
	// All or none.
	h.want(mail.Exists, h.AddAccounts(h.ctx, []mail.Account{{ID: 7, Name: "new"}, {ID: 8, Name: "anna"}}))
	h.want(mail.Exists, h.AddAccounts(h.ctx, []mail.Account{{ID: 7, Name: "new"}, {ID: 7, Name: "newer"}}))
	_, err := h.Account(h.ctx, "new")
	h.want(mail.NotFound, err)
	h.must(h.AddAccounts(h.ctx, []mail.Account{{ID: 8, Name: "zoe@example.org", Secret: "s", Created: 3}, {ID: 7, Name: "bob"}}))
	h.reopen()
	var names []string
	for a, err := range h.Accounts(h.ctx) {
		h.must(err)
		names = append(names, a.Name)
	}
	equalSlices(h, "accounts by name", names, []string{"anna", "bob", "zoe@example.org"})
	h.must(h.SetSecret(h.ctx, 8, "better"))
	h.want(mail.NotFound, h.SetSecret(h.ctx, 55, "x"))
	h.reopen()
	a, err := h.Account(h.ctx, "zoe@example.org")
	h.must(err)
	equal(h, "account", a, mail.Account{ID: 8, Name: "zoe@example.org", Secret: "better", Created: 3})
	v, err := h.Version(h.ctx, 8)
	h.must(err)
	equal(h, "a new account's version", v, 0)
}

func testRemoveAccount(h *harness) {
	h.do(created(1, "INBOX"), appended(1, 1, 1, 2))
	h.must(h.RemoveAccount(h.ctx, h.id, now))
	h.want(mail.NotFound, h.RemoveAccount(h.ctx, h.id, now))
	for range 2 {
		allNotFound(h)
		h.reopen()
	}
	// The name is free at once, the id is not.
	h.want(mail.Exists, h.AddAccount(h.ctx, mail.Account{ID: h.id, Name: "anna"}))
	h.must(h.AddAccount(h.ctx, mail.Account{ID: 77, Name: "anna"}))
}

// allNotFound calls everything for an account that is not there.
func allNotFound(h *harness) {
	h.Helper()
	_, err := h.Account(h.ctx, "anna")
	h.want(mail.NotFound, err)
	_, err = h.Version(h.ctx, h.id)
	h.want(mail.NotFound, err)
	_, err = h.LoadAccount(h.ctx, h.id)
	h.want(mail.NotFound, err)
	_, _, err = h.LoadMailbox(h.ctx, h.id, 1)
	h.want(mail.NotFound, err)
	_, err = h.Message(h.ctx, h.id, 1)
	h.want(mail.NotFound, err)
	_, err = h.Inline(h.ctx, h.id, 1)
	h.want(mail.NotFound, err)
	_, err = h.Commit(h.ctx, &mail.Commit{Account: h.id, Op: h.op()})
	h.want(mail.NotFound, err)
	_, _, err = h.Outcome(h.ctx, h.id, mail.OpID{})
	h.want(mail.NotFound, err)
	_, err = h.Vanished(h.ctx, h.id, 1, 0)
	h.want(mail.NotFound, err)
	h.want(mail.NotFound, h.SetRecent(h.ctx, h.id, 1, 1))
	_, err = h.Derived(h.ctx, h.id, "x")
	h.want(mail.NotFound, err)
	h.want(mail.NotFound, h.PutDerived(h.ctx, h.id, "x", nil))
	h.want(mail.NotFound, h.DropDerived(h.ctx, h.id, "x"))
	for _, err := range h.Since(h.ctx, h.id, 0) {
		h.want(mail.NotFound, err)
	}
}

func testEmpty(h *harness) {
	a := h.state()
	want := &mail.AccountState{ID: h.id, NextMailbox: 1, NextMessage: 1, KeywordSets: [][]string{nil}}
	a.Ticket = mail.Ticket{}
	if len(a.KeywordSets) == 1 && len(a.KeywordSets[0]) == 0 {
		a.KeywordSets = want.KeywordSets
	}
	if len(a.Subscriptions) == 0 {
		a.Subscriptions = nil
	}
	if !reflect.DeepEqual(a, want) {
		h.Fatalf("got %+v, want %+v", a, want)
	}
}

func testNotFound(h *harness) {
	h.do(created(1, "INBOX"))
	id := h.id
	h.id = 4711
	_, err := h.Version(h.ctx, h.id)
	h.want(mail.NotFound, err)
	h.id = id
	_, _, err = h.LoadMailbox(h.ctx, h.id, 2)
	h.want(mail.NotFound, err)
	_, err = h.Message(h.ctx, h.id, 1)
	h.want(mail.NotFound, err)
	_, err = h.Vanished(h.ctx, h.id, 2, 0)
	h.want(mail.NotFound, err)
	h.want(mail.NotFound, h.SetRecent(h.ctx, h.id, 2, 1))
	v := h.version()
	for _, change := range []mail.Change{
		appended(2, 1, 1, 1), &mail.Copied{Mailbox: 2}, &mail.FlagsSet{Mailbox: 2}, &mail.Removed{Mailbox: 2},
		&mail.MailboxRenamed{Mailbox: 2}, &mail.MailboxDeleted{Mailbox: 2}, &mail.Annotated{Mailbox: 2, Name: "/x/y"},
	} {
		_, err := h.try(change)
		h.want(mail.NotFound, err)
	}
	equal(h, "version after refusals", h.version(), v)
}

func testConflict(h *harness) {
	h.do(created(1, "INBOX"))
	at := h.version()
	h.do(appended(1, 1, 1, 1))
	for _, old := range []mail.Version{0, at, at + 2} {
		change := appended(1, 2, 2, 1)
		stamp(9, []mail.Change{change})
		_, err := h.Commit(h.ctx, &mail.Commit{Account: h.id, Op: h.op(), At: old, Now: now, Changes: []mail.Change{change}})
		h.want(mail.Conflict, err)
		var conflict *mail.ConflictError
		if !errors.As(err, &conflict) {
			h.Fatalf("got %T, want a ConflictError", err)
		}
		equal(h, "the conflict's version", conflict.Version, at+1)
		if !conflict.TooOld && old == at && len(conflict.Missed) != 1 {
			h.Fatalf("missed %d changes, want 1", len(conflict.Missed))
		}
	}
	equal(h, "messages", len(h.rows(1)), 1)
}

// testRefused: what could damage an account is refused, and nothing of it is written.
func testRefused(h *harness) {
	h.do(created(1, "INBOX"), appended(1, 1, 1, 2), &mail.KeywordSetAdded{Set: 1, Keywords: []string{"a"}})
	v := h.version()
	refuse := func(what string, kind mail.Kind, seq mail.ModSeq, changes ...mail.Change) {
		h.Helper()
		stamp(seq, changes)
		_, err := h.Commit(h.ctx, &mail.Commit{Account: h.id, Op: h.op(), At: v, Now: now, Changes: changes})
		if !mail.Is(err, kind) {
			h.Fatalf("%s: got %v, want %v", what, err, kind)
		}
	}
	refuse("an old ModSeq", mail.Invalid, v, &mail.MailboxRenamed{Mailbox: 1, Name: "x"})
	refuse("a huge ModSeq", mail.Invalid, 1<<63, &mail.MailboxRenamed{Mailbox: 1, Name: "x"})
	refuse("a used UID", mail.Invalid, v+1, appended(1, 2, 3, 1))
	refuse("a used message id", mail.Invalid, v+1, appended(1, 3, 2, 1))
	refuse("a used mailbox id", mail.Invalid, v+1, created(1, "again"))
	refuse("a used keyword set", mail.Invalid, v+1, &mail.KeywordSetAdded{Set: 1})
	refuse("a keyword set too far", mail.Invalid, v+1, &mail.KeywordSetAdded{Set: 3})
	refuse("a copy of nothing", mail.NotFound, v+1, &mail.Copied{Mailbox: 1, Rows: []mail.Row{{UID: 3, Fixed: mail.Fixed{Message: 9}}}})
	bodyless := appended(1, 3, 3, 1)
	bodyless.Arrivals[0].Message.Body = mail.Ref{}
	refuse("a message without bytes", mail.Invalid, v+1, bodyless)
	_, err := h.Commit(h.ctx, &mail.Commit{Account: h.id, Op: h.op(), Blind: true, Changes: []mail.Change{&mail.MailboxRenamed{Mailbox: 1}}})
	h.want(mail.Invalid, err)
	equal(h, "version", h.version(), v)
}

func testAllOrNothing(h *harness) {
	h.do(created(1, "INBOX"))
	before := h.state()
	_, err := h.try(created(2, "A"), appended(1, 1, 1, 3), &mail.Subscribed{Name: "A", On: true}, &mail.FlagsSet{Mailbox: 77, UIDs: mail.UIDs(1)})
	h.want(mail.NotFound, err)
	h.reopen()
	after := h.state()
	before.Ticket, after.Ticket = mail.Ticket{}, mail.Ticket{}
	if !reflect.DeepEqual(before, after) {
		h.Fatalf("a refused commit left %+v, want %+v", after, before)
	}
	_, err = h.Message(h.ctx, h.id, 1)
	h.want(mail.NotFound, err)
}

func testCounters(h *harness) {
	h.do(created(1, "INBOX"), created(3, "Sent"))
	h.do(&mail.Appended{Mailbox: 1, Arrivals: appended(1, 5, 8, 2).Arrivals, Delta: mail.Counters{Messages: 2, Unseen: 2, Bytes: 70}})
	h.do(&mail.FlagsSet{Mailbox: 1, UIDs: mail.UIDs(5), Flags: mail.Seen, Delta: mail.Counters{Unseen: -1}})
	h.reopen()
	a := h.state()
	equal(h, "NextMailbox", a.NextMailbox, 4)
	equal(h, "NextMessage", a.NextMessage, 10)
	equal(h, "LastUIDValidity", a.LastUIDValidity, 1003)
	equal(h, "Totals", a.Totals, mail.Counters{Messages: 2, Unseen: 1, Bytes: 70})
	m := h.mailbox(1)
	equal(h, "counters", m.Counters, mail.Counters{Messages: 2, Unseen: 1, Bytes: 70})
	equal(h, "UIDNext", m.UIDNext, 7)
	equal(h, "HighestModSeq", m.HighestModSeq, 3)
	equal(h, "the other mailbox's HighestModSeq", h.mailbox(3).HighestModSeq, 1)
}

func testAppend(h *harness) {
	h.do(created(1, "INBOX"))
	c := appended(1, 1, 1, 3)
	c.Arrivals[1].Row.Flags = mail.Seen | mail.Flagged
	seq := h.do(c)
	var bodies []string
	for i := range c.Arrivals {
		bodies = append(bodies, string(c.Arrivals[i].Inline))
		clear(c.Arrivals[i].Inline) // it was the store's until Commit returned
		equal(h, "body", string(h.body(c.Arrivals[i].Message.ID)), bodies[i])
	}
	h.reopen()
	rows := h.rows(1)
	equal(h, "rows", len(rows), 3)
	for i, row := range rows {
		want := c.Arrivals[i].Row
		want.ModSeq = seq
		equal(h, "row", row, want)
		m, err := h.Message(h.ctx, h.id, row.Message)
		h.must(err)
		if !reflect.DeepEqual(m, c.Arrivals[i].Message) {
			h.Fatalf("message: got %+v, want %+v", m, c.Arrivals[i].Message)
		}
		equal(h, "body", string(h.body(row.Message)), bodies[i])
	}
}

func blind(mailbox mail.MailboxID, n int) *mail.Appended {
	c := appended(mailbox, 0, 0, n)
	for i := range c.Arrivals {
		c.Arrivals[i].Row.UID, c.Arrivals[i].Row.Message, c.Arrivals[i].Message.ID = 0, 0, 0
	}
	return c
}

func testBlind(h *harness) {
	h.do(created(1, "INBOX"), created(2, "Other"))
	h.do(appended(1, 1, 1, 2))
	v := h.version()
	a, b, c := blind(1, 2), blind(2, 1), blind(1, 1)
	done, err := h.Commit(h.ctx, &mail.Commit{Account: h.id, Op: h.op(), Blind: true, Now: now, Changes: []mail.Change{a, b, c}})
	h.must(err)
	equal(h, "version", done.Version, v+3)
	for i, want := range []struct {
		arrival mail.Arrival
		uid     mail.UID
		message mail.MessageID
		seq     mail.ModSeq
	}{{a.Arrivals[0], 3, 3, v + 1}, {a.Arrivals[1], 4, 4, v + 1}, {b.Arrivals[0], 1, 5, v + 2}, {c.Arrivals[0], 5, 6, v + 3}} {
		row := want.arrival.Row
		if row.UID != want.uid || row.Message != want.message || row.ModSeq != want.seq || want.arrival.Message.ID != want.message {
			h.Fatalf("arrival %d: got %+v, want %+v", i, row, want)
		}
	}
	equal(h, "Seq", c.Seq(), v+3)
	h.reopen()
	equalSlices(h, "UIDs", h.uids(1), []mail.UID{1, 2, 3, 4, 5})
	equal(h, "UIDNext", h.mailbox(1).UIDNext, 6)
	equal(h, "HighestModSeq", h.mailbox(1).HighestModSeq, v+3)
	_, err = h.Commit(h.ctx, &mail.Commit{Account: h.id, Op: h.op(), Blind: true, Changes: []mail.Change{blind(1, 1), blind(9, 1)}})
	h.want(mail.NotFound, err)
	equal(h, "messages after a refusal", len(h.rows(1)), 5)
	// A mailbox without room for another UID.
	h.do(appended(2, mail.UIDMax-1, 100, 1))
	_, err = h.Commit(h.ctx, &mail.Commit{Account: h.id, Op: h.op(), Blind: true, Changes: []mail.Change{blind(2, 1)}})
	h.want(mail.Limit, err)
}

func testBlindConcurrent(h *harness) {
	h.do(created(1, "INBOX"))
	const writers, each = 8, 50
	together(writers, func(w int) {
		for i := range each {
			var op mail.OpID
			copy(op[:], fmt.Sprintf("%d/%d", w, i))
			done, err := h.Commit(h.ctx, &mail.Commit{Account: h.id, Op: op, Blind: true, Now: now, Changes: []mail.Change{blind(1, 1)}})
			if err == nil {
				err = done.Ticket.Wait(h.ctx)
			}
			if err != nil {
				h.Error(err)
				return
			}
		}
	})
	rows := h.rows(1)
	equal(h, "messages", len(rows), writers*each)
	for i, row := range rows {
		equal(h, "UID", row.UID, mail.UID(i+1))
		equal(h, "ModSeq", row.ModSeq, mail.ModSeq(i+2))
	}
	equal(h, "counted", h.mailbox(1).Messages, writers*each)
}

func testFlagsSet(h *harness) {
	h.do(created(1, "INBOX"), appended(1, 1, 1, 10))
	first := h.version()
	second := h.do(&mail.FlagsSet{Mailbox: 1, UIDs: mail.UIDSet{{First: 2, Last: 5}, {First: 8, Last: 8}}, Flags: mail.Seen})
	third := h.do(&mail.FlagsSet{Mailbox: 1, UIDs: mail.UIDs(4, 10), Flags: mail.Flags(mail.Deleted).WithKeywordSet(3)})
	want := map[mail.UID]mail.ModSeq{1: first, 2: second, 3: second, 4: third, 5: second, 6: first, 7: first, 8: second, 9: first, 10: third}
	flags := map[mail.ModSeq]mail.Flags{first: 0, second: mail.Seen, third: mail.Flags(mail.Deleted).WithKeywordSet(3)}
	for range 2 {
		for _, row := range h.rows(1) {
			equal(h, fmt.Sprintf("ModSeq of %d", row.UID), row.ModSeq, want[row.UID])
			equal(h, fmt.Sprintf("flags of %d", row.UID), row.Flags, flags[row.ModSeq])
		}
		h.reopen()
	}
}

// testSameModSeq: changes of one operation share a ModSeq and happen in order.
func testSameModSeq(h *harness) {
	seq := h.do(created(1, "INBOX"), appended(1, 1, 1, 3),
		&mail.FlagsSet{Mailbox: 1, UIDs: mail.UIDSet{{First: 1, Last: 3}}, Flags: mail.Seen},
		&mail.FlagsSet{Mailbox: 1, UIDs: mail.UIDs(2), Flags: mail.Draft},
		&mail.Removed{Mailbox: 1, UIDs: mail.UIDs(3)},
		&mail.Removed{Mailbox: 1, UIDs: mail.UIDs(1)})
	rows := h.rows(1)
	equal(h, "rows", len(rows), 1)
	equal(h, "flags", rows[0].Flags, mail.Draft)
	gone, err := h.Vanished(h.ctx, h.id, 1, seq-1)
	h.must(err)
	equalSlices(h, "vanished", gone, mail.UIDs(1, 3))
}

func testCopied(h *harness) {
	h.do(created(1, "INBOX"), created(2, "Copy"), appended(1, 1, 1, 3))
	rows := h.rows(1)[1:]
	rows[0].UID, rows[1].UID = 4, 9
	rows[0].Flags = mail.Answered
	seq := h.do(&mail.Copied{Mailbox: 2, Rows: rows, Delta: mail.Counters{Messages: 2, Bytes: 10}})
	h.reopen()
	got := h.rows(2)
	rows[0].ModSeq, rows[1].ModSeq = seq, seq
	equalSlices(h, "copies", got, rows)
	equal(h, "UIDNext", h.mailbox(2).UIDNext, 10)
	// MOVE of a message that came in the same commit.
	c := appended(1, 4, 4, 1)
	moved := c.Arrivals[0].Row
	moved.UID = 10
	h.do(c, &mail.Copied{Mailbox: 2, Rows: []mail.Row{moved}}, &mail.Removed{Mailbox: 1, UIDs: mail.UIDs(4)})
	equalSlices(h, "target", h.uids(2), []mail.UID{4, 9, 10})
	equalSlices(h, "source", h.uids(1), []mail.UID{1, 2, 3})
	equal(h, "body", string(h.body(4)), string(c.Arrivals[0].Inline))
}

func testRemoved(h *harness) {
	h.do(created(1, "INBOX"), appended(1, 1, 1, 5))
	h.do(&mail.Removed{Mailbox: 1, UIDs: mail.UIDs(2, 3, 5), Delta: mail.Counters{Messages: -3}})
	for range 2 {
		equalSlices(h, "UIDs", h.uids(1), []mail.UID{1, 4})
		h.reopen()
	}
	// Stores keep what was expunged until the sweeper comes.
	if len(h.body(2)) == 0 {
		h.Fatal("no body")
	}
}

func testRenamed(h *harness) {
	h.do(created(1, "INBOX"), created(2, "Old"), appended(2, 1, 1, 1))
	before := h.mailbox(2)
	before.HighestModSeq = h.do(&mail.MailboxRenamed{Mailbox: 2, Name: "New/Äpfel"})
	before.Name = "New/Äpfel"
	h.reopen()
	equal(h, "mailbox", h.mailbox(2), before)
	// RENAME INBOX: a new mailbox takes the messages in the same commit.
	h.do(appended(1, 1, 2, 2))
	rows := h.rows(1)
	h.do(created(3, "Saved"), &mail.Copied{Mailbox: 3, Rows: rows}, &mail.Removed{Mailbox: 1, UIDs: mail.UIDs(1, 2)})
	equal(h, "moved", len(h.rows(3)), 2)
	equal(h, "left", len(h.rows(1)), 0)
}

func testDeleted(h *harness) {
	h.do(created(1, "INBOX"), created(2, "Gone"), appended(2, 1, 1, 2))
	h.do(&mail.MailboxDeleted{Mailbox: 2, Delta: mail.Counters{Messages: -2, Unseen: -2, Bytes: -h.mailbox(2).Bytes}})
	h.reopen()
	equal(h, "mailboxes", len(h.state().Mailboxes), 1)
	equal(h, "totals", h.state().Totals, mail.Counters{})
	_, _, err := h.LoadMailbox(h.ctx, h.id, 2)
	h.want(mail.NotFound, err)
	_, err = h.try(&mail.FlagsSet{Mailbox: 2})
	h.want(mail.NotFound, err)
	_, err = h.try(created(2, "Again"))
	h.want(mail.Invalid, err)
	// A mailbox that is made and deleted in one commit, and one used after that.
	h.do(created(4, "Short"), &mail.MailboxDeleted{Mailbox: 4})
	_, err = h.try(&mail.MailboxDeleted{Mailbox: 1}, appended(1, 1, 3, 1))
	h.want(mail.NotFound, err)
	equal(h, "mailboxes", len(h.state().Mailboxes), 1)
}

func testNames(h *harness) {
	h.do(&mail.Subscribed{Name: "A", On: true}, &mail.Subscribed{Name: "Ä/b", On: true}, &mail.Subscribed{Name: "C", On: true})
	h.do(&mail.Subscribed{Name: "C"}, &mail.Subscribed{Name: "never"})
	h.do(&mail.KeywordSetAdded{Set: 1, Keywords: []string{"$Forwarded", "Work"}}, &mail.KeywordSetAdded{Set: 2, Keywords: []string{"x"}})
	h.reopen()
	a := h.state()
	equalSlices(h, "subscriptions", a.Subscriptions, []string{"A", "Ä/b"})
	equal(h, "sets", len(a.KeywordSets), 3)
	equal(h, "the empty set", len(a.KeywordSets[0]), 0)
	equalSlices(h, "set 1", a.KeywordSets[1], []string{"$Forwarded", "Work"})
	equalSlices(h, "set 2", a.KeywordSets[2], []string{"x"})
}
