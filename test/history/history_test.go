package history

import (
	"flag"
	"sync"
	"testing"

	"postfach/internal/mail"
	"postfach/internal/mailbox"
	"postfach/internal/store/mem"
	"postfach/internal/store/storetest"
	"postfach/test/rig"
)

var (
	steps = flag.Int("history.steps", 4000, "operations of the random history")
	seed  = flag.Uint64("history.seed", 1, "that it is made from")
)

const (
	processes = 3
	accounts  = 16
)

func TestHistory(t *testing.T) {
	t.Run("postgres", func(t *testing.T) { play(t, "") })
	t.Run("s3", func(t *testing.T) { play(t, rig.Bucket(t)) })
}

// play does each step in a random one of the processes and in mem.
func play(t *testing.T, blobs string) {
	dsn := rig.Database(t)
	store, err := openStore(t.Context(), dsn, blobs)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	oracle := mem.New(stillEnv())
	for id := mail.AccountID(1); id <= accounts; id++ {
		entry := mail.Account{ID: id, Name: id.String(), Created: clock}
		for _, s := range []mail.Store{store, oracle} {
			if err := s.AddAccount(t.Context(), entry); err != nil {
				t.Fatal(err)
			}
		}
	}
	engine := mailbox.New(oracle, oracle, stillEnv(), mailbox.Limits{})
	var children []*child
	for range processes {
		c := startChild(t, dsn, blobs)
		defer c.stop(t)
		children = append(children, c)
	}
	var wg sync.WaitGroup
	var done, refused sync.Map
	for id := mail.AccountID(1); id <= accounts; id++ {
		wg.Go(func() {
			g := newGenerator(*seed, id)
			for n := range *steps / accounts {
				s := g.next()
				got, want := children[g.IntN(processes)].do(s), do(t.Context(), engine, s)
				if got != want {
					t.Errorf("account %d, step %d, %+v:\n got %+v\nwant %+v", id, n, s, got, want)
					return
				}
				kind := &done
				if got.Fault != "" {
					kind = &refused
				}
				kind.Store([2]any{id, n}, s.Kind)
			}
		})
	}
	wg.Wait()
	for id := mail.AccountID(1); id <= accounts && !t.Failed(); id++ {
		storetest.Compare(t, store, oracle, id, nil)
	}
	t.Logf("%d operations, %d of them refused alike; done: %v", count(&done, nil)+count(&refused, nil), count(&refused, nil), kinds(&done))
}

func count(m *sync.Map, each func(kind string)) (n int) {
	m.Range(func(_, kind any) bool {
		if n++; each != nil {
			each(kind.(string))
		}
		return true
	})
	return n
}

func kinds(m *sync.Map) map[string]int {
	by := map[string]int{}
	count(m, func(kind string) { by[kind]++ })
	return by
}
