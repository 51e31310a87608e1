package lmtp

import (
	"bufio"
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"postfach/internal/delivery"
	"postfach/internal/mail"
	"postfach/internal/mailbox"
	"postfach/internal/metrics"
	"postfach/internal/store/mem"
)

// world is a server over a real engine and the in-memory store, with the accounts anna,
// bert@example.org and carl.
type world struct {
	t       *testing.T
	store   *mem.Store
	engine  *mailbox.Engine
	server  *Server
	metrics *metrics.Metrics
}

func newWorld(t *testing.T, limits Limits, engineLimits mailbox.Limits, options ...mem.Option) *world {
	env := &mail.Env{Now: time.Now, Random: rand.Reader, Log: slog.New(slog.DiscardHandler)}
	w := &world{t: t, store: mem.New(env, options...), metrics: &metrics.Metrics{}}
	for i, name := range []string{"anna", "bert@example.org", "carl"} {
		if err := w.store.AddAccount(t.Context(), mail.Account{ID: mail.AccountID(i + 1), Name: name}); err != nil {
			t.Fatal(err)
		}
	}
	w.engine = mailbox.New(w.store, w.store, env, engineLimits)
	lower := func(name string) (string, error) { return strings.ToLower(name), nil }
	w.server = New(Options{Delivery: delivery.New(w.engine, lower), Env: env, Metrics: w.metrics, Hostname: "mx.test", Limits: limits})
	return w
}

// create makes a mailbox.
func (w *world) create(id mail.AccountID, name string) {
	w.t.Helper()
	a, err := w.engine.Account(context.Background(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	defer a.Release()
	if _, err := a.Do(context.Background(), &mailbox.Create{Name: name, Now: 1}); err != nil {
		w.t.Fatal(err)
	}
}

// messages returns the bytes of all messages in a mailbox.
func (w *world) messages(id mail.AccountID, name string) []string {
	w.t.Helper()
	ctx := context.Background()
	a, err := w.engine.Account(ctx, id)
	if err != nil {
		w.t.Fatal(err)
	}
	defer a.Release()
	_, rows, err := w.store.LoadMailbox(ctx, id, a.Tree().Lookup(name).ID)
	if err != nil {
		w.t.Fatal(err)
	}
	var all []string
	for row := range rows {
		m, err := a.Message(ctx, row.Message)
		if err != nil {
			w.t.Fatal(err)
		}
		body, err := a.Body(ctx, m)
		if err != nil {
			w.t.Fatal(err)
		}
		b, err := io.ReadAll(io.NewSectionReader(body, 0, body.Size()))
		if err != nil {
			w.t.Fatal(err)
		}
		all = append(all, string(b))
	}
	return all
}

// peer is the client's end of a connection. Replies are read all the time.
type peer struct {
	t       *testing.T
	c       net.Conn
	replies chan string
}

func (w *world) dial() *peer {
	near, far := net.Pipe()
	p := &peer{t: w.t, c: near, replies: make(chan string, 100_000)}
	w.server.wg.Go(func() { w.server.ServeConn(context.Background(), far) })
	go func() {
		defer close(p.replies)
		for r := bufio.NewReader(near); ; {
			line, err := r.ReadString('\n')
			if err != nil {
				return
			}
			p.replies <- strings.TrimSuffix(line, "\r\n")
		}
	}()
	w.t.Cleanup(func() { near.Close() })
	p.expect("220 mx.test LMTP Postfach")
	return p
}

func (p *peer) send(lines ...string) {
	p.t.Helper()
	for _, l := range lines {
		p.raw(l + "\r\n")
	}
}

func (p *peer) raw(b string) {
	p.t.Helper()
	if _, err := io.WriteString(p.c, b); err != nil {
		p.t.Fatalf("sending %.60q: %v", b, err)
	}
}

// expect wants these replies next; one that ends with "*" is a beginning.
func (p *peer) expect(want ...string) {
	p.t.Helper()
	for _, w := range want {
		got, ok := <-p.replies
		start, open := strings.CutSuffix(w, "*")
		if !ok || got != w && !(open && strings.HasPrefix(got, start)) {
			p.t.Fatalf("got %q (%v), want %q", got, ok, w)
		}
	}
}

// closed wants the connection to end without another word.
func (p *peer) closed() {
	p.t.Helper()
	if got, ok := <-p.replies; ok {
		p.t.Fatalf("got %q, want the end", got)
	}
}

// hello says LHLO and takes the answer.
func (p *peer) hello() {
	p.t.Helper()
	p.send("LHLO client.test")
	p.expect("250-mx.test", "250-PIPELINING", "250-8BITMIME", "250-SMTPUTF8", "250-ENHANCEDSTATUSCODES", "250-CHUNKING", "250 SIZE *")
}

// to begins a transaction and takes the answers.
func (p *peer) to(recipients ...string) {
	p.t.Helper()
	p.send("MAIL FROM:<me@x.test>")
	p.expect("250 2.1.0 *")
	for _, r := range recipients {
		p.send("RCPT TO:<" + r + ">")
		p.expect("250 2.1.5 *")
	}
}
