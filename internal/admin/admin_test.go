package admin

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"postfach/internal/auth"
	"postfach/internal/delivery"
	"postfach/internal/mail"
	"postfach/internal/mailbox"
	"postfach/internal/store/mem"
)

func newLocal() (*Local, *mailbox.Engine, *mail.Env) {
	env := &mail.Env{Now: time.Now, Random: rand.Reader, Log: slog.New(slog.DiscardHandler)}
	store := mem.New(env)
	engine := mailbox.New(store, store, env, mailbox.Limits{MessageBytesMax: 100_000})
	return NewLocal(engine, delivery.New(engine, auth.CheckName)), engine, env
}

// The same must be true of both Services.
func TestServices(t *testing.T) {
	t.Run("local", func(t *testing.T) {
		l, engine, env := newLocal()
		testService(t, l, engine, env)
	})
	t.Run("socket", func(t *testing.T) {
		l, engine, env := newLocal()
		dir := t.TempDir()
		path := SocketPath(dir)
		listener, err := Listen(dir)
		if err != nil {
			t.Fatal(err)
		}
		s := NewServer(l)
		done := make(chan error)
		go func() { done <- s.Serve(listener) }()
		c, err := Dial(path)
		if err != nil {
			t.Fatal(err)
		}
		testService(t, c, engine, env)
		s.Shutdown(context.Background())
		if err := <-done; err != nil {
			t.Error(err)
		}
		if _, err := c.List(t.Context()); !mail.Is(err, mail.Unavailable) {
			t.Errorf("after the server has gone: %v", err)
		}
		if _, err := Dial(path); !mail.Is(err, mail.NotFound) {
			t.Errorf("dial after the server has gone: %v", err)
		}
	})
}

func testService(t *testing.T, s Service, engine *mailbox.Engine, env *mail.Env) {
	ctx := t.Context()
	wantKind := func(what string, err error, k mail.Kind) {
		t.Helper()
		if !mail.Is(err, k) {
			t.Errorf("%s: %v, want %v", what, err, k)
		}
	}
	if all, err := s.List(ctx); err != nil || len(all) != 0 {
		t.Errorf("at first: %v, %v", all, err)
	}
	if err := s.Add(ctx, []NewAccount{{"Bert@Example.org", "one"}, {"anna", "two"}}); err != nil {
		t.Fatal(err)
	}
	wantKind("taken", s.Add(ctx, []NewAccount{{"carl", "x"}, {"ANNA", "x"}}), mail.Exists)
	wantKind("twice", s.Add(ctx, []NewAccount{{"carl", "x"}, {"Carl", "x"}}), mail.Exists)
	wantKind("bad name", s.Add(ctx, []NewAccount{{"carl", "x"}, {"a b", "x"}}), mail.Invalid)
	wantKind("bad password", s.Add(ctx, []NewAccount{{"carl", "x"}, {"dora", ""}}), mail.Invalid)
	all, err := s.List(ctx)
	if err != nil || len(all) != 2 || all[0].Name != "anna" || all[1].Name != "bert@example.org" || len(all[0].ID) != 16 {
		t.Fatalf("accounts: %+v, %v; want all or none of each Add", all, err)
	}
	login := func(user, password string) error {
		a, err := auth.New(engine.Store(), env, auth.Options{})
		if err != nil {
			t.Fatal(err)
		}
		_, err = a.Login(ctx, auth.Attempt{User: user, Password: password, Remote: netip.IPv6Loopback()})
		return err
	}
	if err := login("bert@example.org", "one"); err != nil {
		t.Error(err)
	}
	if err := s.SetPassword(ctx, "Anna", "three"); err != nil {
		t.Error(err)
	}
	if err := login("anna", "three"); err != nil {
		t.Error(err)
	}
	wantKind("old password", login("anna", "two"), mail.Denied)
	wantKind("nobody's password", s.SetPassword(ctx, "carl", "x"), mail.NotFound)
	wantKind("empty password", s.SetPassword(ctx, "anna", ""), mail.Invalid)

	testDeliver(t, s, engine)

	if err := s.Remove(ctx, "anna"); err != nil {
		t.Error(err)
	}
	wantKind("twice", s.Remove(ctx, "anna"), mail.NotFound)
	wantKind("no name", s.Remove(ctx, "../x"), mail.Invalid)
	wantKind("removed", login("anna", "three"), mail.Denied)
}

func testDeliver(t *testing.T, s Service, engine *mailbox.Engine) {
	ctx := t.Context()
	if err := s.Deliver(ctx, "anna", strings.NewReader("Subject: x\n\n.\nbare\n")); err != nil {
		t.Fatal(err)
	}
	if err := s.Deliver(ctx, "nobody@x", strings.NewReader("x")); !mail.Is(err, mail.NotFound) {
		t.Errorf("nobody: %v", err)
	}
	if err := s.Deliver(ctx, "anna", strings.NewReader(strings.Repeat("x", 100_001))); !mail.Is(err, mail.TooBig) {
		t.Errorf("too big: %v", err)
	}
	broken := io.MultiReader(strings.NewReader("half"), brokenReader{})
	if err := s.Deliver(ctx, "anna", broken); err == nil {
		t.Error("half a message was delivered")
	}
	entry, err := engine.Store().Account(ctx, "anna")
	if err != nil {
		t.Fatal(err)
	}
	a, err := engine.Account(ctx, entry.ID)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Release()
	if n := a.Tree().Lookup("INBOX").Status().Messages; n != 1 {
		t.Fatalf("%d messages", n)
	}
	b, err := engine.Store().Inline(ctx, entry.ID, 1)
	if err != nil || string(b) != "Subject: x\n\n.\nbare\n" {
		t.Errorf("delivered %q, %v", b, err)
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errors.New("broken") }

func TestSocket(t *testing.T) {
	dir := t.TempDir()
	path := SocketPath(dir)
	dead, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	dead.(*net.UnixListener).SetUnlinkOnClose(false)
	dead.Close() // as after kill -9
	l, err := Listen(dir)
	if err != nil {
		t.Fatalf("with a stale socket: %v", err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if _, err := Listen(dir); !mail.Is(err, mail.Exists) {
		t.Errorf("while another one listens: %v", err)
	}
	l.Close()
	file := filepath.Join(dir, "precious")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ListenUnix(filepath.Join(dir, strings.Repeat("x", 200)), 0o600); !mail.Is(err, mail.Invalid) {
		t.Errorf("a path that is too long: %v", err)
	}
	if _, err := ListenUnix(file, 0o600); !mail.Is(err, mail.Exists) {
		t.Errorf("in the place of a file: %v", err)
	}
}
