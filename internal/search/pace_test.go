package search

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"postfach/internal/mail"
)

// TestPace: while much mail comes in the indexer works for a twentieth of the time; otherwise
// all the time.
func TestPace(t *testing.T) {
	for _, c := range []struct {
		arrivals int // in a window
		most     time.Duration
		least    time.Duration
	}{
		{paceArrivals / 2, time.Second, 900 * time.Millisecond},
		{2 * paceArrivals, 80 * time.Millisecond, 30 * time.Millisecond},
	} {
		t.Run(fmt.Sprint(c.arrivals), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				x := &Indexer{env: mail.SystemEnv(nil), store: inMem(t), waiting: make(map[mail.AccountID]*waiting), wake: make(chan struct{}, 1)}
				var wg sync.WaitGroup
				defer wg.Wait()
				wg.Go(func() {
					for range 5 * c.arrivals {
						x.Arrived(1)
						time.Sleep(paceWindow / time.Duration(c.arrivals))
					}
				})
				time.Sleep(2 * paceWindow)
				p := &pass{x: x, ctx: t.Context(), turn: NewWorkers(1).Turn(), since: time.Now()}
				var worked time.Duration
				for began := time.Now(); time.Since(began) < 2*paceWindow; {
					if err := p.work(); err != nil {
						t.Fatal(err)
					}
					const piece = 100 * time.Microsecond
					time.Sleep(piece) // stands for work
					worked += piece
				}
				if worked := worked * time.Second / (2 * paceWindow); worked > c.most || worked < c.least {
					t.Errorf("worked %v of a second", worked)
				}
			})
		})
	}
}
