package storetest

import (
	"slices"
	"strings"

	"postfach/internal/mail"
)

// testAnnotations: values of any bytes, of mailboxes and of the account, that move no mailbox.
func testAnnotations(h *harness) {
	h.do(created(1, "INBOX"), created(2, "Work"))
	state := h.state()
	long := strings.Repeat("\x00\xffé\r\n", 10_000)
	set := h.do(&mail.Annotated{Name: "/shared/a", Value: long}, &mail.Annotated{Mailbox: 2, Name: "/shared/a", Value: "two"})
	more := h.do(&mail.Annotated{Mailbox: 2, Name: "/private/b"}, &mail.Annotated{Mailbox: 1, Name: "/shared/a", Value: "one"})
	// Replaced, taken away, taken away where there is none.
	first := h.do(&mail.Annotated{Mailbox: 2, Name: "/shared/a", Value: "another"})
	last := h.do(&mail.Annotated{Mailbox: 1, Name: "/shared/a", Gone: true}, &mail.Annotated{Name: "/never", Gone: true})
	want := []mail.Annotation{
		{Name: "/shared/a", Value: long, ModSeq: set},
		{Mailbox: 2, Name: "/private/b", ModSeq: more},
		{Mailbox: 2, Name: "/shared/a", Value: "another", ModSeq: first},
	}
	for range 2 {
		now := h.state()
		equal(h, "version", now.Version, last)
		if !slices.Equal(now.Mailboxes, state.Mailboxes) {
			h.Fatalf("mailboxes are %+v, they were %+v", now.Mailboxes, state.Mailboxes)
		}
		if !slices.Equal(now.Annotations, want) {
			h.Fatalf("annotations are %+v", now.Annotations)
		}
		h.reopen()
	}
	_, err := h.try(&mail.MailboxDeleted{Mailbox: 1}, &mail.Annotated{Mailbox: 1, Name: "/shared/a"})
	h.want(mail.NotFound, err)
	_, err = h.Commit(h.ctx, &mail.Commit{Account: h.id, Op: h.op(), Blind: true, Changes: []mail.Change{&mail.Annotated{Name: "/shared/a"}}})
	h.want(mail.Invalid, err)
	// They go with their mailbox, not with its name.
	h.do(&mail.MailboxRenamed{Mailbox: 2, Name: "Play"})
	equal(h, "after a rename", len(h.state().Annotations), 3)
	h.do(&mail.MailboxDeleted{Mailbox: 2}, created(3, "Play"))
	h.reopen()
	if got := h.state().Annotations; !slices.Equal(got, want[:1]) {
		h.Fatalf("of a deleted mailbox there are %+v", got)
	}
}
