package storetest

import (
	"reflect"

	"postfach/internal/mail"
)

// testReader: what a reader has is what the store has, in whatever order it is asked for.
func testReader(h *harness) {
	h.do(created(1, "INBOX"), appended(1, 1, 1, 3))
	c, u, _ := large(h, 1, 4, 4, 30_000)
	h.do(c)
	u.Release()
	h.do(appended(1, 5, 5, 90))
	h.do(&mail.Removed{Mailbox: 1, UIDs: mail.UIDs(6, 7)})
	h.sweep(now+1, noPins)
	for pass := range 2 {
		r := h.Reader(h.ctx, h.id)
		for _, step := range []mail.MessageID{1, 3, 9, 97} {
			for i := range mail.MessageID(100) {
				checkRead(h, r, 1+i*step%100)
			}
			r.Rest()
			checkRead(h, r, 3)
		}
		h.do(appended(1, mail.UID(95+pass), mail.MessageID(95+pass), 1))
		checkRead(h, r, mail.MessageID(95+pass))
		r.Rest()
		h.reopen()
	}
	r := h.Reader(h.ctx, h.id)
	checkRead(h, r, 1) // the store may remember that the account is there
	r.Rest()
	h.must(h.RemoveAccount(h.ctx, h.id, now))
	if _, ok := r.Inline(1, nil); ok || r.Message(1) != nil {
		h.Fatal("messages of an account that is not there")
	}
	for range 2 {
		if _, err := h.Message(h.ctx, h.id, 1); !mail.Is(err, mail.NotFound) {
			h.Fatalf("a message of an account that is not there: %v", err)
		}
	}
	r.Rest()
}

// checkRead compares what a reader has of a message with the store's own. A reader may
// lack it.
func checkRead(h *harness, r mail.Reader, id mail.MessageID) {
	h.Helper()
	alone, err := h.Message(h.ctx, h.id, id)
	if m := r.Message(id); m != nil && (err != nil || !reflect.DeepEqual(m, alone)) {
		h.Fatalf("got %+v, want %+v, %v", m, alone, err)
	}
	bytes, err := h.Inline(h.ctx, h.id, id)
	b := make([]byte, len(bytes))
	if n, ok := r.Inline(id, b); ok && (err != nil || string(b[:n]) != string(bytes)) {
		h.Fatalf("message %d is %.20q, want %.20q, %v", id, b[:n], bytes, err)
	}
	if len(b) > 0 {
		if _, ok := r.Inline(id, b[1:]); ok {
			h.Fatalf("message %d has no room, and is there", id)
		}
	}
}
