package storetest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"postfach/internal/mail"
)

const day = 24 * 60 * 60

func testOutcome(h *harness) {
	h.do(created(1, "INBOX"))
	var unknown mail.OpID
	_, found, err := h.Outcome(h.ctx, h.id, unknown)
	h.must(err)
	equal(h, "an unknown op", found, false)
	op := h.op()
	done, err := h.Commit(h.ctx, &mail.Commit{Account: h.id, Op: op, Blind: true, Now: now, Changes: []mail.Change{blind(1, 1)}})
	h.must(err)
	h.do(&mail.Subscribed{Name: "A", On: true})
	h.reopen()
	for _, late := range []int64{0, day - 1} {
		h.sweep(now+late, nil)
		v, found, err := h.Outcome(h.ctx, h.id, op)
		h.must(err)
		equal(h, "found", found, true)
		equal(h, "version", v, done.Version)
	}
	h.sweep(now+day+2*60*60, nil)
	_, found, err = h.Outcome(h.ctx, h.id, op)
	h.must(err)
	equal(h, "found after a day", found, false)
	// A refused commit has no outcome.
	op = h.op()
	_, err = h.Commit(h.ctx, &mail.Commit{Account: h.id, Op: op, Blind: true, Now: now, Changes: []mail.Change{blind(7, 1)}})
	h.want(mail.NotFound, err)
	_, found, err = h.Outcome(h.ctx, h.id, op)
	h.must(err)
	equal(h, "a refused op", found, false)
}

func testSince(h *harness) {
	h.do(created(1, "INBOX"))
	at := h.version()
	for _, err := range h.Since(h.ctx, h.id, at) {
		h.Fatalf("something since the newest version (%v)", err)
	}
	h.do(&mail.Subscribed{Name: "A", On: true})
	h.do(&mail.Subscribed{Name: "B", On: true})
	want := at + 1
	for c, err := range h.Since(h.ctx, h.id, at) {
		if mail.Is(err, mail.Invalid) {
			return // too old: allowed
		}
		h.must(err)
		equal(h, "Seq", c.Seq(), want)
		want++
	}
	equal(h, "changes", want, at+3)
}

func testVanished(h *harness) {
	h.do(created(1, "INBOX"), appended(1, 1, 1, 20))
	start := h.version()
	a := h.do(&mail.Removed{Mailbox: 1, UIDs: mail.UIDs(3, 4, 5)})
	b := h.do(&mail.Removed{Mailbox: 1, UIDs: mail.UIDs(2, 17)})
	for range 2 {
		for _, test := range []struct {
			since mail.ModSeq
			want  mail.UIDSet
		}{
			{0, mail.UIDs(2, 3, 4, 5, 17)}, {start, mail.UIDs(2, 3, 4, 5, 17)},
			{a, mail.UIDs(2, 17)}, {b, nil}, {b + 100, nil}, {1<<63 - 1, nil},
		} {
			gone, err := h.Vanished(h.ctx, h.id, 1, test.since)
			h.must(err)
			equalSlices(h, fmt.Sprintf("since %d", test.since), gone, test.want)
		}
		h.sweep(now+day, nil) // history outlives what it is of
		h.reopen()
	}
}

// testVanishedMany: more ranges than a mailbox remembers exactly.
func testVanishedMany(h *harness) {
	const rounds, each = 16, 1000
	h.do(created(1, "INBOX"), appended(1, 1, 1, 2*rounds*each+1))
	at := []mail.ModSeq{h.version()}
	uid := mail.UID(1)
	for range rounds {
		var uids mail.UIDSet
		for range each {
			uids = uids.Append(uid)
			uid += 2
		}
		at = append(at, h.do(&mail.Removed{Mailbox: 1, UIDs: uids}))
	}
	h.reopen()
	live := h.uids(1)
	equal(h, "live", len(live), rounds*each+1)
	for i, since := range at {
		gone, err := h.Vanished(h.ctx, h.id, 1, since)
		h.must(err)
		for u := mail.UID(2*i*each + 1); u < uid; u += 2 {
			if !gone.Contains(u) {
				h.Fatalf("since round %d: %d is missing", i, u)
			}
		}
		for _, u := range live {
			if gone.Contains(u) {
				h.Fatalf("since round %d: %d is still there", i, u)
			}
		}
		// The newest ranges, up to the limit, are exact.
		exact := int64((rounds - i) * each)
		if (h.config.Exact || exact < mail.ExpungedRangesMax) && gone.Count() != exact {
			h.Fatalf("since round %d: %d UIDs, want exactly %d", i, gone.Count(), exact)
		}
	}
}

func testRecent(h *harness) {
	h.do(created(1, "INBOX"))
	v := h.version()
	h.must(h.SetRecent(h.ctx, h.id, 1, 5))
	h.must(h.SetRecent(h.ctx, h.id, 1, 3))
	equal(h, "RecentFrom", h.mailbox(1).RecentFrom, 5)
	equal(h, "version", h.version(), v)
	h.must(h.SetRecent(h.ctx, h.id, 1, 6))
	h.do(appended(1, 1, 1, 1))
	h.reopen()
	equal(h, "RecentFrom", h.mailbox(1).RecentFrom, 6)
}

func testWatch(h *harness) {
	h.do(created(1, "INBOX"))
	watching := h.Store
	if h.config.Second != nil {
		second, err := h.config.Second()
		h.must(err)
		defer second.Close()
		watching = second
	}
	ctx, cancel := context.WithCancel(h.ctx)
	defer cancel()
	moved := make(chan mail.Moved, 100)
	ended := make(chan struct{})
	watch := watching.Watch(ctx, func() []mail.AccountID { return []mail.AccountID{h.id} })
	go func() {
		defer close(ended)
		for m := range watch {
			moved <- m
		}
	}()
	v := h.do(&mail.Subscribed{Name: "A", On: true})
	late := time.After(soon)
	for hinted := !h.Shared(); !hinted; {
		select {
		case m := <-moved: // the first may be of an older version
			hinted = m == mail.Moved{Account: h.id, Version: v}
		case <-late:
			h.Fatal("no hint")
		}
	}
	cancel()
	select {
	case <-ended:
	case <-time.After(soon):
		h.Fatal("Watch did not end with its context")
	}
}

func testDerived(h *harness) {
	_, err := h.Derived(h.ctx, h.id, "a")
	h.want(mail.NotFound, err)
	h.must(h.PutDerived(h.ctx, h.id, "a", []byte("1")))
	h.must(h.PutDerived(h.ctx, h.id, "a/b", []byte("2")))
	h.must(h.PutDerived(h.ctx, h.id, "a", []byte("3")))
	got, err := h.Derived(h.ctx, h.id, "a")
	h.must(err)
	equal(h, "derived", string(got), "3")
}

func testDropDerived(h *harness) {
	left := func() string {
		var b strings.Builder
		for _, key := range []string{"a", "x/", "x/1", "x/1/a", "x/12", "x/2", "x/3/b", "x0", "y"} {
			if _, err := h.Derived(h.ctx, h.id, key); err == nil {
				b.WriteString(key + " ")
			}
		}
		return b.String()
	}
	fill := func() {
		for _, key := range []string{"a", "x/", "x/1", "x/1/a", "x/12", "x/2", "x/3/b", "x0", "y"} {
			h.must(h.PutDerived(h.ctx, h.id, key, []byte(key)))
		}
	}
	for _, c := range []struct {
		prefix string
		keep   []string
		want   string
	}{
		{"x/", nil, "a x0 y "},
		{"x/", []string{"x/3", "x/1/", "y", "a"}, "a x/1/a x/3/b x0 y "},
		{"x/", []string{"x/1", "x/12"}, "a x/1 x/1/a x/12 x0 y "},
		{"x/1", []string{"x"}, "a x/ x/1 x/1/a x/12 x/2 x/3/b x0 y "},
		{"z", nil, "a x/ x/1 x/1/a x/12 x/2 x/3/b x0 y "},
		{"", []string{"y"}, "y "},
	} {
		fill()
		h.must(h.DropDerived(h.ctx, h.id, c.prefix, c.keep...))
		equal(h, "left of "+c.prefix, left(), c.want)
	}
}

// testSnapshot: what LoadMailbox yields is the mailbox at one version, however long the
// reading takes.
func testSnapshot(h *harness) {
	h.do(created(1, "INBOX"), appended(1, 1, 1, 3000))
	h.do(&mail.FlagsSet{Mailbox: 1, UIDs: mail.UIDs(1500), Flags: mail.Seen})
	at, seq, err := h.LoadMailbox(h.ctx, h.id, 1)
	h.must(err)
	equal(h, "version", at, h.version())
	n := 0
	for row, err := range seq {
		h.must(err)
		if n++; n == 5 {
			h.do(&mail.Removed{Mailbox: 1, UIDs: mail.UIDs(1000)})
			h.do(&mail.FlagsSet{Mailbox: 1, UIDs: mail.UIDSet{{First: 1, Last: 3000}}, Flags: mail.Draft})
			h.do(appended(1, 3001, 3001, 10))
			h.do(&mail.MailboxDeleted{Mailbox: 1})
			h.sweep(now+day, nil)
		}
		if row.ModSeq > at || row.Flags.Has(mail.Draft) {
			h.Fatalf("%+v is newer than version %d", row, at)
		}
	}
	equal(h, "rows", n, 3000)
	h.do(created(2, "Other"), appended(2, 1, 3011, 10))
	_, seq, err = h.LoadMailbox(h.ctx, h.id, 2)
	h.must(err)
	for range seq {
		break // not to the end
	}
}

func testTickets(h *harness) {
	h.do(created(1, "INBOX"))
	var tickets []mail.Ticket
	for range 20 {
		done, err := h.try(&mail.Subscribed{Name: "A", On: true})
		h.must(err)
		tickets = append(tickets, done.Ticket)
	}
	state := h.state().Ticket
	if !state.Covers(tickets[19]) && !tickets[19].Done() {
		h.Fatal("LoadAccount's ticket does not cover what it has read")
	}
	h.must(tickets[19].Wait(h.ctx))
	for i, ticket := range tickets {
		if !ticket.Done() {
			h.Fatalf("ticket %d is not durable, but a later one is", i)
		}
	}
	h.must(state.Wait(h.ctx))
	together(10, func(int) {
		for range 20 {
			done, err := h.Commit(h.ctx, &mail.Commit{Account: h.id, Blind: true, Now: now, Changes: []mail.Change{blind(1, 1)}})
			if err == nil {
				err = done.Ticket.Wait(h.ctx)
			}
			if err != nil {
				h.Error(err)
			}
		}
	})
	equal(h, "messages", len(slices.Collect(firsts(h.rows(1)))), 200)
	ctx, cancel := context.WithCancel(h.ctx)
	cancel()
	_, err := h.Commit(ctx, &mail.Commit{Account: h.id, At: h.version()})
	if err != nil {
		h.want(mail.Busy, err)
	}
}

func firsts(rows []mail.Row) func(func(mail.UID) bool) {
	return func(yield func(mail.UID) bool) {
		for _, row := range rows {
			if !yield(row.UID) {
				return
			}
		}
	}
}
