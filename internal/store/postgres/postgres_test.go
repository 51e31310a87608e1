package postgres_test

import (
	"os"
	"testing"
	"time"

	"postfach/internal/store/postgres"
	"postfach/internal/store/storetest"
	"postfach/test/rig"
)

func TestMain(m *testing.M) { os.Exit(rig.Main(m)) }

func open(t testing.TB, dsn string) *postgres.Store {
	t.Helper()
	s, err := postgres.Open(t.Context(), dsn, postgres.Options{Env: storetest.Env(), PollInterval: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}
