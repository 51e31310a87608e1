package imap

import (
	"flag"
	"testing"

	"postfach/internal/mail"
	"postfach/internal/mailbox"
	"postfach/internal/metrics"
	"postfach/internal/store/pebble"
)

var listMessages = flag.Int("list.messages", 50_000, "messages in the mailbox of BenchmarkList")

// BenchmarkList lists a mailbox: again, after a restart, and when nothing is known of it.
func BenchmarkList(b *testing.B) {
	dir := b.TempDir()
	x := openListBench(b, dir)
	appendMail(b, x.s.account, 0, *listMessages, listMail)
	x.do(b, "SELECT INBOX")
	for _, c := range []struct{ name, command string }{
		{"Envelopes", "FETCH 1:* (ENVELOPE BODYSTRUCTURE INTERNALDATE RFC822.SIZE)"},
		{"Headers", "FETCH 1:* (UID BODY.PEEK[HEADER.FIELDS (FROM TO CC SUBJECT DATE MESSAGE-ID REFERENCES)])"},
	} {
		each := func(name string, between func()) {
			b.Run(c.name+"/"+name, func(b *testing.B) {
				for b.Loop() {
					b.StopTimer()
					between()
					b.StartTimer()
					x.c.keep = false
					run(b, x.s, x.c, "a "+c.command+"\r\n")
				}
				b.ReportMetric(float64(*listMessages*b.N)/b.Elapsed().Seconds(), "messages/s")
				b.ReportMetric(0, "ns/op")
			})
		}
		each("First", func() {
			x.s.server.wg.Wait()
			if err := x.store.DropDerived(b.Context(), 1, ""); err != nil {
				b.Fatal(err)
			}
			if err := x.store.Store.Close(); err != nil {
				b.Fatal(err)
			}
			x = openListBench(b, dir)
			x.do(b, "SELECT INBOX")
			x.s.server.listings = newListings(64 << 20)
		})
		each("Restart", func() {
			x.s.server.wg.Wait()
			if err := x.store.Store.Close(); err != nil {
				b.Fatal(err)
			}
			x = openListBench(b, dir)
			x.do(b, "SELECT INBOX")
		})
		each("Again", func() {})
	}
	x.s.server.wg.Wait()
	if err := x.store.Store.Close(); err != nil {
		b.Fatal(err)
	}
}

// openListBench is a session in a store on the disk.
func openListBench(b *testing.B, dir string) *sortBench {
	env := mail.SystemEnv(quietLog)
	disk, err := pebble.Open(dir, pebble.Options{Env: env})
	if err != nil {
		b.Fatal(err)
	}
	if err := disk.AddAccount(b.Context(), mail.Account{ID: 1, Name: "anna"}); err != nil && !mail.Is(err, mail.Exists) {
		b.Fatal(err)
	}
	engine := mailbox.New(disk, disk, env, mailbox.Limits{})
	account, err := engine.Account(b.Context(), 1)
	if err != nil {
		b.Fatal(err)
	}
	x := &sortBench{store: &forgetful{Store: disk}, c: new(replay)}
	x.s = New(Options{Engine: engine, Env: env, Metrics: new(metrics.Metrics)}).session(b.Context(), x.c)
	x.s.account, x.s.state, x.s.name = account, authenticated, "anna"
	return x
}
