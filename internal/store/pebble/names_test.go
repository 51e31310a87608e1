package pebble_test

import (
	"fmt"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"postfach/internal/mail"
)

// TestAccountIsNew: what Account has found before is forgotten when the directory is written.
func TestAccountIsNew(t *testing.T) {
	s := open(t, vfs.NewMem())
	defer s.Close()
	ctx := t.Context()
	want := func(name, secret string) {
		t.Helper()
		for range 2 { // read, and remembered
			a, err := s.Account(ctx, name)
			if secret == "" && !mail.Is(err, mail.NotFound) || secret != "" && err != nil || a.Secret != secret {
				t.Fatalf("%s: %+v, %v", name, a, err)
			}
		}
	}
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	want("anna", "")
	do(s.AddAccount(ctx, mail.Account{ID: 7, Name: "anna", Secret: "a"}))
	want("anna", "a")
	do(s.SetSecret(ctx, 7, "b"))
	want("anna", "b")
	do(s.RemoveAccount(ctx, 7, 1))
	want("anna", "")
	do(s.AddAccount(ctx, mail.Account{ID: 8, Name: "anna", Secret: "c"}))
	want("anna", "c")
	for i := range 5000 { // more than are remembered
		want(fmt.Sprint("nobody", i), "")
	}
	want("anna", "c")
	if n := testing.AllocsPerRun(100, func() { s.Account(ctx, "anna") }); n != 0 {
		t.Errorf("%v allocations for a name that is known", n)
	}
}
