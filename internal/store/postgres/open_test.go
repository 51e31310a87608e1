package postgres_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"postfach/internal/mail"
	"postfach/internal/store/postgres"
	"postfach/internal/store/storetest"
	"postfach/test/rig"
)

func tryOpen(dsn string) (*postgres.Store, error) {
	return postgres.Open(context.Background(), dsn, postgres.Options{Env: storetest.Env(), ConnectTimeout: time.Second})
}

func execute(t *testing.T, dsn string, statements ...string) {
	t.Helper()
	c, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(t.Context())
	for _, statement := range statements {
		if _, err := c.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
}

// TestOpenErrors: what an administrator gets wrong is said in words, and never with a password.
func TestOpenErrors(t *testing.T) {
	dsn := rig.Database(t)
	port := rig.SharedPostgres(t).Port()
	execute(t, dsn, "DROP ROLE IF EXISTS nobody_special", "CREATE ROLE nobody_special LOGIN")
	foreign := rig.Database(t)
	execute(t, foreign, "CREATE TABLE accounts (x integer)")
	newer := rig.Database(t)
	s, err := tryOpen(newer)
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	execute(t, newer, "INSERT INTO schema_version (number) VALUES (1000)")
	for _, test := range []struct {
		dsn, want string
		kind      mail.Kind
	}{
		{"postgres://a:s3cr3t/x@127.0.0.1:1/db", "special characters", mail.Invalid},
		{"postgres://a:s3cr3t@127.0.0.1:1/db?sslmode=what", "sslmode", mail.Invalid},
		{"postgres://a:s3cr3t@127.0.0.1:1/db", "can't be reached", mail.Away},
		{fmt.Sprintf("postgres://postgres:s3cr3t@127.0.0.1:%d/nothing", port), "no such database", mail.Denied},
		{fmt.Sprintf("postgres://nobody:s3cr3t@127.0.0.1:%d/postgres", port), "user or the password", mail.Denied},
		{strings.Replace(dsn, "postgres@", "nobody_special:s3cr3t@", 1), "may not make", mail.Denied},
		{foreign, "tables of something else", mail.Denied},
		{newer, "use a newer postfach", mail.Unsupported},
	} {
		_, err := tryOpen(test.dsn)
		if !mail.Is(err, test.kind) || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "s3cr3t") {
			t.Errorf("%s: got %v (%v), want %q", test.dsn, err, mail.KindOf(err), test.want)
		}
	}
}

// TestOpenTogether: of processes that start at the same moment on an empty database one makes
// the tables, and each gets a number of its own.
func TestOpenTogether(t *testing.T) {
	dsn := rig.Database(t)
	var group sync.WaitGroup
	var mu sync.Mutex
	numbers := map[uint32]bool{}
	for range 4 {
		group.Go(func() {
			s, err := postgres.Open(t.Context(), dsn, postgres.Options{Env: storetest.Env()})
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			numbers[s.Process()] = true
			mu.Unlock()
			s.Close()
		})
	}
	group.Wait()
	if len(numbers) != 4 {
		t.Errorf("numbers %v, want 4 different", numbers)
	}
}

// TestShards: accounts are spread, found from every process, and removed where they are.
func TestShards(t *testing.T) {
	first, second := rig.Database(t), rig.Database(t)
	a, b := open(t, first), open(t, first)
	ctx := t.Context()
	if _, err := b.Version(ctx, 1); !mail.Is(err, mail.NotFound) {
		t.Fatal(err)
	}
	if err := a.AddShard(ctx, "two", second); err != nil {
		t.Fatal(err)
	}
	if err := a.AddShard(ctx, "two", second); !mail.Is(err, mail.Exists) {
		t.Fatal(err)
	}
	names, err := a.Shards(ctx)
	if err != nil || len(names) != 2 || names[1] != "two" {
		t.Fatal(names, err)
	}
	for id := mail.AccountID(1); id <= 10; id++ {
		if err := a.AddAccount(ctx, mail.Account{ID: id, Name: fmt.Sprint("user", id)}); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(1100 * time.Millisecond) // b does not ask for shards more often than once a second
	for id := mail.AccountID(1); id <= 10; id++ {
		done, err := b.Commit(ctx, &mail.Commit{Account: id, Changes: []mail.Change{&mail.Subscribed{Stamped: mail.Stamped{ModSeq: 1}, Name: "x", On: true}}})
		if err != nil || done.Version != 1 {
			t.Fatal(id, err)
		}
		if v, err := a.Version(ctx, id); err != nil || v != 1 {
			t.Fatal(id, v, err)
		}
		if err := b.AddAccount(ctx, mail.Account{ID: id, Name: "again"}); !mail.Is(err, mail.Exists) {
			t.Fatal(err)
		}
	}
	for id := mail.AccountID(1); id <= 2; id++ {
		if err := a.RemoveAccount(ctx, id, 5); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Version(ctx, id); !mail.Is(err, mail.NotFound) {
			t.Fatal(err)
		}
		if err := b.RemoveAccount(ctx, id, 5); !mail.Is(err, mail.NotFound) {
			t.Fatal(err)
		}
	}
	execute(t, second, "DO $$ BEGIN ASSERT (SELECT count(*) FROM accounts) = 5; END $$")
}
