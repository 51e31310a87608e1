package imap

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"strings"
	"testing"

	"postfach/internal/mail"
	"postfach/internal/mailbox"
	"postfach/internal/metrics"
	"postfach/internal/search"
	"postfach/internal/store/pebble"
)

// forgetful is a store that loses derived data when told so.
type forgetful struct {
	*pebble.Store
	loses bool
}

func (s *forgetful) Derived(ctx context.Context, id mail.AccountID, key string) ([]byte, error) {
	if s.loses {
		return nil, mail.Errorf(mail.NotFound, "lost")
	}
	return s.Store.Derived(ctx, id, key)
}

// listMail is the n-th message of a mailing list: every fourth begins a thread.
func listMail(n int) string {
	var b strings.Builder
	thread := n / 4
	subject := fmt.Sprintf("[list] Question %d about the weather in place %d", thread, thread*7919%50_000)
	if n%4 > 0 {
		subject = "Re: " + subject
		fmt.Fprintf(&b, "In-Reply-To: <%d.abcdef@mail.example.org>\r\nReferences:", n-1)
		for i := thread * 4; i < n; i++ {
			fmt.Fprintf(&b, " <%d.abcdef@mail.example.org>", i)
		}
		b.WriteString("\r\n")
	}
	fmt.Fprintf(&b, "Message-ID: <%d.abcdef@mail.example.org>\r\nSubject: %s\r\n", n, subject)
	fmt.Fprintf(&b, "From: Person Number%d <person%d@example.org>\r\nTo: The List <list@example.org>\r\nCc: other%d@example.net\r\n", n*31%2000, n*31%2000, n%100)
	fmt.Fprintf(&b, "Date: %d Jan 2020 %02d:%02d:%02d +0100\r\n", 1+n*13%28, n*7%24, n%60, n*3%60)
	b.WriteString("MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n")
	b.WriteString(strings.Repeat("Something about the weather.\r\n", 20))
	return b.String()
}

// appendMail appends messages that are made one by one.
func appendMail(t testing.TB, account *mailbox.Account, from, to int, text func(int) string) {
	t.Helper()
	inbox := account.Tree().Lookup(mailbox.Inbox).ID
	for from < to {
		op := &mailbox.Append{Mailbox: inbox, Now: 1}
		for ; from < to && len(op.Messages) < 1000; from++ {
			u := account.Upload(t.Context(), -1)
			_, _ = u.Write([]byte(text(from)))
			in, err := u.Finish()
			if err != nil {
				t.Fatal(err)
			}
			in.Inline = bytes.Clone(in.Inline) // it is appended after Release
			u.Release()
			in.Date = mail.Stamp{Unix: 1577872800 + int64(from)}
			op.Messages = append(op.Messages, in)
		}
		if _, err := account.Do(t.Context(), op); err != nil {
			t.Fatal(err)
		}
	}
}

// sortBench is a session in a large mailbox.
type sortBench struct {
	store *forgetful
	s     *session
	c     *replay
	next  int
}

func newSortBench(b *testing.B, n int) *sortBench {
	env := mail.SystemEnv(quietLog)
	disk, err := pebble.Open(b.TempDir(), pebble.Options{Env: env})
	if err != nil {
		b.Fatal(err)
	}
	store := &forgetful{Store: disk}
	engine, account := annaIn(b, env, store)
	appendMail(b, account, 0, n, listMail)
	x := &sortBench{store: store, c: new(replay), next: n}
	srv := New(Options{Engine: engine, Env: env, Metrics: new(metrics.Metrics)})
	b.Cleanup(func() {
		srv.wg.Wait()
		disk.Close()
	})
	x.s = srv.session(b.Context(), x.c)
	x.s.account, x.s.state, x.s.name = account, authenticated, "anna"
	x.do(b, "SELECT INBOX")
	return x
}

func (x *sortBench) do(b *testing.B, command string) {
	x.c.feed, x.c.said, x.c.keep = append(x.c.feed[:0], "a "+command+"\r\n"...), x.c.said[:0], true
	if err := x.s.step(); err != nil {
		b.Fatal(err)
	}
	if err := x.s.w.Flush(); err != nil {
		b.Fatal(err)
	}
	if !strings.Contains(string(x.c.said), "\na OK") {
		b.Fatalf("%.200q", x.c.said)
	}
}

var sortCommands = []struct{ name, command string }{
	{"Subject", "UID SORT (SUBJECT) UTF-8 ALL"},
	{"Date", "UID SORT (DATE) UTF-8 ALL"},
	{"From", "UID SORT (FROM) UTF-8 ALL"},
	{"Numbers", "SORT (REVERSE DATE) UTF-8 ALL"},
	{"OrderedSubject", "UID THREAD ORDEREDSUBJECT UTF-8 ALL"},
	{"References", "UID THREAD REFERENCES UTF-8 ALL"},
	{"Refs", "UID THREAD REFS UTF-8 ALL"},
}

var sortMessages = flag.Int("sort.messages", 50_000, "messages in the mailbox of BenchmarkSort")

// BenchmarkSort sorts and threads a mailbox: the first time, when nothing is known of
// them; after a restart; and again after an arrival.
func BenchmarkSort(b *testing.B) {
	x := newSortBench(b, *sortMessages)
	anew := func(b *testing.B, command string) {
		for b.Loop() {
			b.StopTimer()
			x.s.server.wg.Wait()
			x.s.server.library = search.NewLibrary(256 << 20)
			b.StartTimer()
			x.do(b, command)
		}
	}
	for _, c := range sortCommands {
		b.Run("First/"+c.name, func(b *testing.B) {
			x.store.loses = true
			anew(b, c.command)
			x.store.loses = false
		})
		b.Run("Restart/"+c.name, func(b *testing.B) { anew(b, c.command) })
		b.Run("Again/"+c.name, func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				appendMail(b, x.s.account, x.next, x.next+1, listMail)
				x.next++
				x.do(b, "NOOP")
				b.StartTimer()
				x.do(b, c.command)
			}
		})
	}
}
