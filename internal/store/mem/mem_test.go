package mem_test

import (
	"context"
	"testing"

	"postfach/internal/mail"
	"postfach/internal/store/mem"
	"postfach/internal/store/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(*testing.T) storetest.Config {
		s := mem.New(storetest.Env())
		return storetest.Config{Open: func() (storetest.Store, error) { return s, nil }, Volatile: true, Exact: true}
	})
}

func TestSharedStore(t *testing.T) {
	storetest.Run(t, func(*testing.T) storetest.Config {
		s := mem.New(storetest.Env(), mem.Shared(), mem.ManualSync())
		return storetest.Config{Open: func() (storetest.Store, error) { return s, nil }, Volatile: true, Exact: true}
	})
}

// TestVoid: a commit that arrives after somebody has been told that it has not happened
// does not happen any more; one that has happened is found.
func TestVoid(t *testing.T) {
	s := mem.New(storetest.Env(), mem.Shared())
	ctx := context.Background()
	if err := s.AddAccount(ctx, mail.Account{ID: 1, Name: "anna"}); err != nil {
		t.Fatal(err)
	}
	commit := func(op byte) error {
		v, err := s.Version(ctx, 1)
		if err != nil {
			t.Fatal(err)
		}
		change := &mail.Subscribed{Stamped: mail.Stamped{ModSeq: v + 1}, Name: "x", On: true}
		_, err = s.Commit(ctx, &mail.Commit{Account: 1, Op: mail.OpID{op}, At: v, Changes: []mail.Change{change}})
		return err
	}
	if err := commit(1); err != nil {
		t.Fatal(err)
	}
	if v, found, err := s.Outcome(ctx, 1, mail.OpID{1}); v != 1 || !found || err != nil {
		t.Errorf("what has happened: %d %v %v", v, found, err)
	}
	for range 2 {
		if _, found, err := s.Outcome(ctx, 1, mail.OpID{2}); found || err != nil {
			t.Errorf("what has not happened: %v %v", found, err)
		}
		if err := commit(2); !mail.Is(err, mail.Away) {
			t.Errorf("a commit that is void: %v", err)
		}
	}
	if v, _ := s.Version(ctx, 1); v != 1 {
		t.Errorf("version %d", v)
	}
}
