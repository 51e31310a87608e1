package storetest

import (
	"reflect"

	"postfach/internal/mail"
)

// testAhead: what is read ahead is what is read alone.
func testAhead(h *harness) {
	h.do(created(1, "INBOX"), appended(1, 1, 1, 3))
	c, u, _ := large(h, 1, 4, 4, 30_000)
	h.do(c)
	u.Release()
	h.do(appended(1, 5, 5, 90))
	h.do(&mail.Removed{Mailbox: 1, UIDs: mail.UIDs(6, 7)})
	h.sweep(now+1, noPins)
	for range 2 {
		for from := mail.MessageID(1); from < 100; from++ {
			_, err := h.Message(h.ctx, h.id, from)
			equal(h, "the first message comes", checkMessages(h, from), err == nil)
			_, err = h.Inline(h.ctx, h.id, from)
			equal(h, "the first bytes come", checkInlines(h, from), err == nil)
		}
		h.reopen()
	}
	h.must(h.RemoveAccount(h.ctx, h.id, now))
	if checkMessages(h, 1) || checkInlines(h, 1) {
		h.Fatal("messages of an account that is not there")
	}
}

// checkMessages compares records from one on, and tells whether that was there.
func checkMessages(h *harness, from mail.MessageID) (first bool) {
	h.Helper()
	next := from
	for m := range h.Messages(h.ctx, h.id, from) {
		if m.ID < next {
			h.Fatalf("message %d comes after %d", m.ID, next-1)
		}
		alone, err := h.Message(h.ctx, h.id, m.ID)
		h.must(err)
		if !reflect.DeepEqual(m, alone) {
			h.Fatalf("got %+v, want %+v", m, alone)
		}
		first = first || m.ID == from
		next = m.ID + 1
	}
	return first
}

// checkInlines does the same with inline bytes.
func checkInlines(h *harness, from mail.MessageID) (first bool) {
	h.Helper()
	next := from
	for id, b := range h.Inlines(h.ctx, h.id, from) {
		if id < next {
			h.Fatalf("message %d comes after %d", id, next-1)
		}
		alone, err := h.Inline(h.ctx, h.id, id)
		h.must(err)
		equal(h, "bytes", string(b), string(alone))
		first = first || id == from
		next = id + 1
	}
	return first
}
