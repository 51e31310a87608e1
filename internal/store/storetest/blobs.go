package storetest

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"

	"postfach/internal/mail"
)

func testBlobs(h *harness) {
	var bodies [][]byte
	var refs []mail.Ref
	for i, size := range []int{0, 1, 100, 64 << 10, 64<<10 + 1, 64<<10 - 1, 300_000, 20 << 10} {
		body := randomBytes(size, uint64(i))
		ref, u := h.upload(body)
		if ref.Inline || ref.Segment == 0 {
			h.Fatalf("a ref without a segment: %+v", ref)
		}
		u.Release()
		u.Release() // may be called twice
		bodies, refs = append(bodies, body), append(refs, ref)
	}
	check := func() {
		for i, ref := range refs {
			checkBody(h, ref, bodies[i])
		}
	}
	check()
	h.reopen()
	check()
}

func checkBody(h *harness, ref mail.Ref, want []byte) {
	h.Helper()
	b, err := h.Open(h.ctx, h.id, ref)
	h.must(err)
	equal(h, "size", b.Size(), int64(len(want)))
	got, err := io.ReadAll(io.NewSectionReader(b, 0, b.Size()))
	h.must(err)
	if !bytes.Equal(got, want) {
		h.Fatal("other bytes than were written")
	}
	together(4, func(i int) {
		for offset := i; offset < len(want); offset += 7919 {
			p := make([]byte, min(5000, len(want)-offset))
			if n, err := b.ReadAt(p, int64(offset)); n != len(p) || err != nil && err != io.EOF || !bytes.Equal(p, want[offset:offset+n]) {
				h.Errorf("reading %d bytes at %d: %d, %v", len(p), offset, n, err)
			}
		}
	})
	n, err := b.ReadAt(make([]byte, 10), int64(len(want)))
	if n != 0 || err != io.EOF {
		h.Fatalf("reading past the end: %d, %v", n, err)
	}
	h.must(b.Close())
}

func testBlobErrors(h *harness) {
	ref, u := h.upload([]byte("secret"))
	defer u.Release()
	_, err := h.Open(h.ctx, h.id+1, ref)
	h.want(mail.NotFound, err) // it belongs to another account
	other := ref
	other.Segment += 1000
	_, err = h.Open(h.ctx, h.id, other)
	h.want(mail.NotFound, err)
	if _, err := u.Write([]byte("x")); err == nil {
		h.Fatal("a write after Finish")
	}
	if _, err := u.Finish(h.ctx); err == nil {
		h.Fatal("a second Finish")
	}
	dropped, err := h.Create(h.ctx, h.id, -1)
	h.must(err)
	_, err = dropped.Write(randomBytes(100_000, 1))
	h.must(err)
	dropped.Release()
	dropped.Release()
	if _, err := dropped.Finish(h.ctx); err == nil {
		h.Fatal("Finish after Release")
	}
	body := randomBytes(70_000, 2)
	ref, u = h.upload(body) // where the dropped one was
	defer u.Release()
	checkBody(h, ref, body)
}

// large is a message whose bytes are an upload's.
func large(h *harness, mailbox mail.MailboxID, uid mail.UID, message mail.MessageID, size int) (*mail.Appended, mail.Upload, []byte) {
	body := randomBytes(size, uint64(message))
	ref, u := h.upload(body)
	c := appended(mailbox, uid, message, 1)
	a := &c.Arrivals[0]
	a.Inline = nil
	a.Row.Size, a.Message.Size = int64(size), int64(size)
	a.Message.Body, a.Message.Digest = ref, sha256.Sum256(body)
	return c, u, body
}

func noPins(mail.AccountID, mail.MailboxID) mail.ModSeq { return ^mail.ModSeq(0) }

func testSweepRows(h *harness) {
	h.do(created(1, "INBOX"), appended(1, 1, 1, 10))
	first := h.do(&mail.Removed{Mailbox: 1, UIDs: mail.UIDs(1, 2)})
	h.do(&mail.Removed{Mailbox: 1, UIDs: mail.UIDs(3)})
	equal(h, "freed before the grace has ended", h.sweep(now, noPins).Messages, 0)
	pinned := func(id mail.AccountID, mailbox mail.MailboxID) mail.ModSeq {
		equal(h, "pinned account", id, h.id)
		return first
	}
	h.sweep(now+1, pinned)
	_, err := h.Message(h.ctx, h.id, 1)
	h.want(mail.NotFound, err)
	_, err = h.Inline(h.ctx, h.id, 2)
	h.want(mail.NotFound, err)
	if len(h.body(3)) == 0 {
		h.Fatal("a pinned message was freed")
	}
	swept := h.sweep(now+1, noPins)
	equal(h, "freed", swept.Messages, 2) // a row and a message
	if swept.Bytes == 0 {
		h.Fatal("no bytes were counted")
	}
	h.reopen()
	equal(h, "left", len(h.rows(1)), 7)
	equal(h, "freed again", h.sweep(now+1, noPins).Messages, 0)
	_, err = h.try(&mail.Copied{Mailbox: 1, Rows: []mail.Row{{UID: 11, Fixed: mail.Fixed{Message: 3}}}})
	h.want(mail.NotFound, err)
}

// testSweepShared: a message stays while any row is of it, also an expunged one.
func testSweepShared(h *harness) {
	h.do(created(1, "INBOX"), created(2, "Copy"), appended(1, 1, 1, 1))
	h.do(&mail.Copied{Mailbox: 2, Rows: h.rows(1)})
	h.do(&mail.Removed{Mailbox: 1, UIDs: mail.UIDs(1)})
	h.sweep(now+1, nil)
	if len(h.body(1)) == 0 {
		h.Fatal("the copy's message was freed")
	}
	h.do(&mail.Removed{Mailbox: 2, UIDs: mail.UIDs(1)})
	h.sweep(now+1, nil)
	_, err := h.Message(h.ctx, h.id, 1)
	h.want(mail.NotFound, err)
}

// testSweepDerived: what was derived from a message goes when the message goes, not when one of its
// rows does; what is about others stays.
func testSweepDerived(h *harness) {
	h.do(created(1, "INBOX"), created(2, "Copy"), appended(1, 1, 1, 3))
	h.do(&mail.Copied{Mailbox: 2, Rows: h.rows(1)[:1]})
	for _, key := range []string{"of/1/a", "of/1/b", "of/10/a", "of/2/a", "of/3/a", "other"} {
		h.must(h.PutDerived(h.ctx, h.id, key, []byte(key)))
	}
	sweep := func() (left string) {
		_, err := h.Sweep(h.ctx, mail.Sweep{Now: now + 1, Before: now + 1,
			Derived: func(id mail.MessageID) string { return fmt.Sprintf("of/%d/", id) }})
		h.must(err)
		for _, key := range []string{"of/1/a", "of/1/b", "of/10/a", "of/2/a", "of/3/a", "other"} {
			if _, err := h.Derived(h.ctx, h.id, key); err == nil {
				left += key + " "
			}
		}
		return left
	}
	h.do(&mail.Removed{Mailbox: 1, UIDs: mail.UIDs(1, 2)})
	equal(h, "left with a copy", sweep(), "of/1/a of/1/b of/10/a of/3/a other ")
	h.do(&mail.Removed{Mailbox: 2, UIDs: mail.UIDs(1)})
	equal(h, "left without", sweep(), "of/10/a of/3/a other ")
}

func testSweepMailbox(h *harness) {
	h.do(created(1, "INBOX"), created(2, "Gone"), appended(2, 1, 1, 1200), &mail.KeywordSetAdded{Set: 1, Keywords: []string{"k"}})
	h.do(&mail.Copied{Mailbox: 1, Rows: h.rows(2)[:1]})
	h.do(&mail.Removed{Mailbox: 2, UIDs: mail.UIDs(5)})
	seq := h.do(&mail.MailboxDeleted{Mailbox: 2})
	h.sweep(now+1, func(mail.AccountID, mail.MailboxID) mail.ModSeq { return seq - 2 })
	if len(h.body(9)) == 0 || len(h.body(5)) == 0 {
		h.Fatal("a pinned mailbox was freed")
	}
	equal(h, "freed", h.sweep(now+1, noPins).Messages, 1200+1199)
	_, err := h.Message(h.ctx, h.id, 9)
	h.want(mail.NotFound, err)
	if len(h.body(1)) == 0 {
		h.Fatal("the copy's message was freed")
	}
	equal(h, "freed again", h.sweep(now+1, noPins).Messages, 0)
}

func testSweepAccount(h *harness) {
	c, u, _ := large(h, 1, 1, 1, 50_000)
	h.do(created(1, "INBOX"), c, appended(1, 2, 2, 700))
	u.Release()
	h.reopen() // segments of before a restart can be swept
	h.must(h.AddAccount(h.ctx, mail.Account{ID: 2, Name: "other"}))
	h.must(h.RemoveAccount(h.ctx, h.id, now))
	equal(h, "freed too early", h.sweep(now, nil).Messages, 0)
	pinned := func(mail.AccountID, mail.MailboxID) mail.ModSeq { return 1 }
	equal(h, "freed although pinned", h.sweep(now+1, pinned).Messages, 0)
	swept := h.sweep(now+1, nil)
	equal(h, "freed", swept.Messages, 2*701)
	if swept.Segments == 0 {
		h.Fatal("no segment was freed")
	}
	equal(h, "freed again", h.sweep(now+1, nil), mail.Swept{})
	// Nothing is left of it: the id can be given again.
	h.must(h.AddAccount(h.ctx, mail.Account{ID: h.id, Name: "anna"}))
	equal(h, "mailboxes", len(h.state().Mailboxes), 0)
	equal(h, "version", h.version(), 0)
}

// testSweepBlobs: bytes of dead messages go, those of living ones stay, though they
// may move.
func testSweepBlobs(h *harness) {
	h.do(created(1, "INBOX"))
	bodies := map[mail.MessageID][]byte{}
	var opened mail.Body
	var dead []mail.Ref
	for i := mail.MessageID(1); i <= 12; i++ {
		c, u, body := large(h, 1, mail.UID(i), i, 40_000)
		h.do(c)
		u.Release()
		bodies[i] = body
		if i == 2 {
			var err error
			opened, err = h.Open(h.ctx, h.id, c.Arrivals[0].Message.Body)
			h.must(err)
		}
		if i%4 != 0 {
			dead = append(dead, c.Arrivals[0].Message.Body)
		}
	}
	for i := mail.MessageID(1); i <= 12; i++ {
		if i%4 != 0 {
			h.do(&mail.Removed{Mailbox: 1, UIDs: mail.UIDs(mail.UID(i))})
		}
	}
	swept := h.sweep(now+1, nil)
	equal(h, "freed", swept.Messages, 2*9)
	got, err := io.ReadAll(io.NewSectionReader(opened, 0, opened.Size()))
	h.must(err) // who reads, reads to the end
	equal(h, "open body", bytes.Equal(got, bodies[2]), true)
	h.must(opened.Close())
	h.reopen()
	second := h.sweep(now+1, nil)
	swept.Segments += second.Segments
	swept.Bytes += second.Bytes
	if swept.Segments == 0 || swept.Bytes < 9*40_000 {
		h.Fatalf("freed only %+v", swept)
	}
	for i := mail.MessageID(4); i <= 12; i += 4 {
		equal(h, fmt.Sprintf("body %d", i), bytes.Equal(h.body(i), bodies[i]), true)
	}
	for _, ref := range dead {
		_, err := h.Open(h.ctx, h.id, ref)
		h.want(mail.NotFound, err)
	}
}

// testSweepLease: what an upload leases is never swept.
func testSweepLease(h *harness) {
	h.do(created(1, "INBOX"))
	under, err := h.Create(h.ctx, h.id, -1)
	h.must(err)
	_, err = under.Write(randomBytes(90_000, 9))
	h.must(err)
	c, u, body := large(h, 1, 1, 1, 90_000)
	for range 3 {
		h.sweep(now+10*day, nil)
	}
	ref, err := under.Finish(h.ctx)
	h.must(err)
	h.sweep(now+10*day, nil)
	checkBody(h, ref, randomBytes(90_000, 9))
	under.Release()
	h.do(c)
	u.Release()
	h.reopen()
	swept := h.sweep(now+10*day, nil)
	if !h.config.Volatile && swept.Segments == 0 {
		h.Fatal("the orphan was not swept")
	}
	equal(h, "body", bytes.Equal(h.body(1), body), true)
}
