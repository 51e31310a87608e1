// Package move_test moves accounts between stores while engines write to them.
package move_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"postfach/internal/blob/s3"
	"postfach/internal/mail"
	"postfach/internal/mailbox"
	"postfach/internal/store/move"
	"postfach/internal/store/pair"
	"postfach/internal/store/pebble"
	"postfach/internal/store/postgres"
	"postfach/internal/store/storetest"
	"postfach/test/rig"
)

func TestMain(m *testing.M) { os.Exit(rig.Main(m)) }

const anna mail.AccountID = 0x1234

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func openPebble(t *testing.T) mail.Movable {
	t.Helper()
	s, err := pebble.Open("data", pebble.Options{FS: vfs.NewMem(), Env: storetest.Env()})
	must(t, err)
	t.Cleanup(func() {
		if e := s.Check(context.Background(), func(damage string) { t.Error(damage) }); e != nil {
			t.Error(e)
		}
		must(t, s.Close())
	})
	return s
}

func openPostgres(t *testing.T, dsn string, bodies func(context.Context, uint32) (postgres.Bodies, error)) *postgres.Store {
	t.Helper()
	s, err := postgres.Open(t.Context(), dsn, postgres.Options{Env: storetest.Env(), PollInterval: time.Second, Bodies: bodies})
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	return s
}

// TestUnderLoad moves an account there and back while it is written to.
func TestUnderLoad(t *testing.T) {
	for name, open := range map[string]func(*testing.T) mail.Movable{
		"pebble":   openPebble,
		"postgres": func(t *testing.T) mail.Movable { return openPostgres(t, rig.Database(t), nil) },
		"s3": func(t *testing.T) mail.Movable {
			bucket := rig.Bucket(t)
			return openPostgres(t, rig.Database(t), func(ctx context.Context, process uint32) (postgres.Bodies, error) {
				return s3.Open(ctx, bucket, s3.Options{Env: storetest.Env(), Process: process, TempDir: t.TempDir()})
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := openPebble(t), open(t)
			messages := 20_000
			if name == "s3" {
				messages = 4000
			}
			p := pair.New(a)
			g := begin(t, p, messages)
			must(t, p.Attach(b))
			p.NewTo(true)
			for range 2 {
				g.move(a, b)
				g.move(b, a)
			}
			g.end()
			g.moveStill(a, b)
			g.moveStill(b, a)
		})
	}
}

// TestShards moves an account between the databases of one store.
func TestShards(t *testing.T) {
	s := openPostgres(t, rig.Database(t), nil)
	must(t, s.AddShard(t.Context(), "second", rig.Database(t)))
	g := begin(t, s, 3000)
	a, err := s.ShardOf(t.Context(), anna)
	must(t, err)
	b, err := s.Shard(t.Context(), "second")
	must(t, err)
	if place, err := b.Place(t.Context(), anna); err != nil || place == mail.Here {
		b, err = s.Shard(t.Context(), "")
		must(t, err)
	}
	for range 2 {
		g.move(a, b)
		g.move(b, a)
	}
	g.end()
	g.moveStill(a, b)
	g.moveStill(b, a)
}

type served interface {
	mail.Store
	mail.Blobs
}

// game is an account that writers write to.
type game struct {
	*testing.T
	store   served
	engine  *mailbox.Engine
	writers []*writer
	stop    context.CancelFunc
	running sync.WaitGroup
}

func begin(t *testing.T, s served, messages int) *game {
	t.Helper()
	must(t, s.AddAccount(t.Context(), mail.Account{ID: anna, Name: "anna", Secret: "x"}))
	env := storetest.Env()
	g := &game{T: t, store: s, engine: mailbox.New(s, s, env, mailbox.Limits{})}
	var ctx context.Context
	ctx, g.stop = context.WithCancel(context.Background())
	t.Cleanup(func() { g.stop(); g.running.Wait() })
	g.running.Go(func() { g.engine.Run(ctx, time.Hour) })
	g.fill(messages)
	for n := range 3 {
		w := newWriter(g.engine, anna, n)
		g.writers = append(g.writers, w)
		g.running.Go(func() { w.run(ctx) })
	}
	return g
}

// fill appends messages to INBOX.
func (g *game) fill(n int) {
	g.Helper()
	a, err := g.engine.Account(g.Context(), anna)
	must(g.T, err)
	defer a.Release()
	inbox := a.Tree().Lookup(mailbox.Inbox)
	for n > 0 {
		op := &mailbox.Append{Mailbox: inbox.ID, Now: 1}
		for range min(n, 1000) {
			body := fmt.Appendf(nil, "Subject: %d\r\n\r\nbody\r\n", n)
			op.Messages = append(op.Messages, mailbox.Incoming{Inline: body, System: mail.Flags(n % 4),
				Message: mail.Message{Size: int64(len(body)), Digest: sha256.Sum256(body), Body: mail.Ref{Inline: true}}})
			n--
		}
		r, err := a.Do(g.Context(), op)
		must(g.T, err)
		must(g.T, a.Await(g.Context(), r.Ticket))
	}
}

func (g *game) options() move.Options {
	return move.Options{Switched: func(id mail.AccountID) {
		if err := g.engine.Expel(context.Background(), id); err != nil {
			g.Error(err)
		}
	}}
}

func (g *game) move(from, to mail.Movable) {
	g.Helper()
	began := time.Now()
	moved, err := move.Account(g.Context(), from, to, anna, g.options())
	must(g.T, err)
	g.Logf("moved %d messages in %v, %v of it fenced", moved.Messages, time.Since(began).Round(time.Millisecond), moved.Fenced.Round(time.Millisecond))
	if moved.Fenced > time.Second && !raceDetector {
		g.Errorf("the account was fenced for %v", moved.Fenced)
	}
	time.Sleep(200 * time.Millisecond)
}

// end stops the writers and judges what is there.
func (g *game) end() {
	g.Helper()
	g.stop()
	g.running.Wait()
	state, err := g.store.LoadAccount(g.Context(), anna)
	must(g.T, err)
	for _, w := range g.writers {
		must(g.T, w.failed)
		g.Logf("%s: %d acknowledged, %d refused", w.name, w.acked, w.away)
		if w.acked < 100 {
			g.Errorf("%s has not done much", w.name)
		}
		w.judge(g.Context(), g.store, state, g.Errorf)
	}
}

// moveStill moves the account while nobody writes: all that can be seen stays the same.
func (g *game) moveStill(from, to mail.Movable) {
	g.Helper()
	before := g.look()
	moved, err := move.Account(g.Context(), from, to, anna, move.Options{Deep: true})
	must(g.T, err)
	g.Logf("moved %d messages, %v fenced", moved.Messages, moved.Fenced.Round(time.Millisecond))
	if after := g.look(); !reflect.DeepEqual(before, after) {
		g.Fatalf("the account has changed:\n%+v\n%+v", before.State, after.State)
	}
}

// look is all that can be seen of an account.
type look struct {
	Entry    mail.Account
	State    *mail.AccountState
	Rows     map[mail.MailboxID][]mail.Row
	Vanished map[mail.MailboxID][]mail.UIDSet
	Messages map[mail.MessageID]mail.Message
	Bytes    map[mail.MessageID][32]byte
}

func (g *game) look() (l look) {
	g.Helper()
	ctx := g.Context()
	var err error
	l.Entry, err = g.store.Account(ctx, "anna")
	must(g.T, err)
	l.State, err = g.store.LoadAccount(ctx, anna)
	must(g.T, err)
	l.State.Ticket = mail.Ticket{}
	slices.SortFunc(l.State.Mailboxes, func(a, b mail.MailboxState) int { return int(a.ID) - int(b.ID) })
	slices.Sort(l.State.Subscriptions)
	l.Rows, l.Vanished = map[mail.MailboxID][]mail.Row{}, map[mail.MailboxID][]mail.UIDSet{}
	l.Messages, l.Bytes = map[mail.MessageID]mail.Message{}, map[mail.MessageID][32]byte{}
	for _, m := range l.State.Mailboxes {
		_, rows, err := g.store.LoadMailbox(ctx, anna, m.ID)
		must(g.T, err)
		for row, err := range rows {
			must(g.T, err)
			l.Rows[m.ID] = append(l.Rows[m.ID], row)
		}
		for _, row := range l.Rows[m.ID] {
			g.lookAt(&l, row.Message)
		}
		for _, since := range []mail.ModSeq{0, m.HighestModSeq / 2, m.HighestModSeq * 9 / 10, m.HighestModSeq - 1} {
			gone, err := g.store.Vanished(ctx, anna, m.ID, since)
			must(g.T, err)
			l.Vanished[m.ID] = append(l.Vanished[m.ID], gone)
		}
	}
	return l
}

func (g *game) lookAt(l *look, id mail.MessageID) {
	g.Helper()
	m, err := g.store.Message(g.Context(), anna, id)
	must(g.T, err)
	seen := *m
	if seen.Body = (mail.Ref{}); len(seen.Structure) == 0 {
		seen.Structure = nil
	}
	l.Messages[id] = seen
	if id%10 != 0 && m.Size <= mail.InlineBytesMax { // the mover has verified all
		return
	}
	var b []byte
	if m.Body.Inline {
		b, err = g.store.Inline(g.Context(), anna, id)
		must(g.T, err)
	} else {
		body, err := g.store.Open(g.Context(), anna, m.Body)
		must(g.T, err)
		b, err = io.ReadAll(io.NewSectionReader(body, 0, body.Size()))
		must(g.T, err)
		must(g.T, body.Close())
	}
	if l.Bytes[id] = sha256.Sum256(b); l.Bytes[id] != m.Digest {
		g.Fatalf("message %d has other bytes", id)
	}
}
