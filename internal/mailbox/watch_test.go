package mailbox

import (
	"fmt"
	"slices"
	"testing"

	"postfach/internal/mail"
	"postfach/internal/store/mem"
)

// TestWatch: who watches an account is woken by every change, and then finds just the
// mailboxes that have changed since it last asked.
func TestWatch(t *testing.T) {
	w := newWorld(t, Limits{})
	a := w.account(w.engine)
	do := func(op Op) { must[Result](t)(a.Do(t.Context(), op)) }
	appendOne(t, a, "Sent", "a: b\r\n\r\nbefore")
	woken := 0
	first := a.Watch(func() { woken++ })
	second := a.Watch(func() {})
	inbox, sent := a.Tree().Lookup(Inbox).ID, a.Tree().Lookup("Sent").ID
	look := func(w *Watch, want ...string) {
		t.Helper()
		var got []string
		for _, c := range w.Changed(nil) {
			got = append(got, fmt.Sprint(c.Mailbox.Status().Name, " ", c.Messages, " ", c.Unseen))
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("changed: %q, want %q", got, want)
		}
	}
	look(first)
	appendOne(t, a, Inbox, "a: b\r\n\r\nx")
	look(first, "INBOX true true")
	look(first)
	all := mail.UIDSet{{First: 1, Last: 1}}
	do(&Store{Mailbox: inbox, UIDs: all, Change: FlagChange{Mode: Add, System: mail.Flagged}})
	look(first, "INBOX false false")
	do(&Store{Mailbox: inbox, UIDs: all, Change: FlagChange{Mode: Add, System: mail.Seen}})
	do(&Copy{From: inbox, To: sent, UIDs: all, Move: true, Now: 1})
	look(first, "INBOX true true", "Sent true false")
	do(&Rename{From: "Sent", To: "Out", Now: 1})
	do(&Create{Name: "New", Now: 1})
	do(&Delete{Name: "Junk"})
	before := woken
	do(&Subscribe{Name: "New", On: true})
	if woken != before+1 {
		t.Errorf("woken %d times by a subscription", woken-before)
	}
	look(first, "Out false false")
	look(second, "INBOX true true", "Out true false")
	if !a.watched() {
		t.Error("nobody watches")
	}
	first.Close()
	appendOne(t, a, "New", "a: b\r\n\r\nx")
	look(second, "New true true")
	second.Close()
	if a.watched() || a.latest.first != nil {
		t.Error("still watched")
	}
	before = woken
	appendOne(t, a, "New", "a: b\r\n\r\nx")
	if woken != before {
		t.Error("woken after Close")
	}
}

// TestWatchOtherProcesses: what another process does is found too, also what came in when a
// mailbox's messages were loaded, or when the account had to be read anew.
func TestWatchOtherProcesses(t *testing.T) {
	w := newWorld(t, Limits{}, mem.Shared())
	b := w.account(w.engine)
	appendOne(t, b, "Sent", "a: b\r\n\r\nx") // so that there is something to load
	a := w.account(New(w.store, w.store, testEnv(), Limits{}))
	watch := a.Watch(func() {})
	defer watch.Close()
	changed := func(name string) {
		t.Helper()
		for _, c := range watch.Changed(nil) {
			if c.Mailbox.Status().Name == name && c.Messages {
				return
			}
		}
		t.Errorf("no news of %s", name)
	}
	appendOne(t, b, "Sent", "a: b\r\n\r\nx")
	v := must[*View](t)(a.Select(t.Context(), a.Tree().Lookup("Sent"), true, nil))
	v.Close()
	if v.Exists() != 2 {
		t.Fatalf("%d messages were loaded", v.Exists())
	}
	changed("Sent")
	must[Result](t)(b.Do(t.Context(), &Create{Name: "New", Now: 1}))
	appendOne(t, b, "New", "a: b\r\n\r\nx")
	appendOne(t, b, "Drafts", "a: b\r\n\r\nx")
	if err := a.takeTurn(t.Context()); err != nil {
		t.Fatal(err)
	}
	err := a.reload(t.Context())
	a.endTurn()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range watch.Changed(nil) {
		if c.Messages {
			got = append(got, c.Mailbox.Status().Name)
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, []string{"Drafts", "New"}) {
		t.Errorf("after reading the account anew: news of %s", got)
	}
}
