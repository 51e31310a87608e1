package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"postfach/internal/imapclient"
)

// writer does something on one server and holds what another says right after against it. It
// is the only one who writes to its account.
type writer struct {
	account string
	at, by  *node // written at, read by
	rnd     *rand.Rand

	client    *imapclient.Client // at, INBOX selected
	other     *imapclient.Client // by, INBOX selected; it knows belief
	belief    *belief
	actual    []believed
	uidNext   uint32
	mailboxes []string // besides INBOX, sorted
	made      int
}

const freshWriters = 8

// fresh does something and reads it elsewhere, so often as the options say, with all hints
// between servers switched off, and returns how often it was not seen.
func fresh(out io.Writer, o options) (violations int, err error) {
	o.servers = 2
	c, err := startCluster(out, o, "--no-hints")
	if err != nil {
		return 0, err
	}
	defer c.stop()
	return c.fresh()
}

func (c *cluster) fresh() (violations int, err error) {
	o, out := c.options, c.out
	var writers []*writer
	var names []string
	for n := range freshWriters {
		w := &writer{account: fmt.Sprintf("fresh%d", n), at: c.nodes[n%2], by: c.nodes[1-n%2], rnd: rand.New(rand.NewPCG(o.seed, uint64(n))), uidNext: 1}
		writers, names = append(writers, w), append(names, w.account)
	}
	if err := c.addAccounts(names); err != nil {
		return 0, err
	}
	var turns, wrong atomic.Int64
	var mu sync.Mutex
	var wg sync.WaitGroup
	began := time.Now()
	for _, w := range writers {
		wg.Go(func() {
			failed := w.run(func() bool { return turns.Add(1) <= int64(o.fresh) }, func(what string) {
				wrong.Add(1)
				mu.Lock()
				defer mu.Unlock()
				fmt.Fprintf(out, "VIOLATION: %s: %s\n", w.account, what)
			})
			if failed != nil {
				mu.Lock()
				defer mu.Unlock()
				err = fmt.Errorf("%s: %w", w.account, failed)
			}
		})
	}
	wg.Wait()
	if err != nil || wrong.Load() > 0 {
		c.showLogs()
	}
	fmt.Fprintf(out, "%d times done on one server and read on another in %v, %d times not seen\n", o.fresh, time.Since(began).Round(time.Millisecond), wrong.Load())
	return int(wrong.Load()), err
}

func (w *writer) run(more func() bool, wrong func(what string)) (err error) {
	w.belief = new(belief)
	if w.client, err = w.at.Login(context.Background(), w.account, imapclient.Options{Timeout: answerTimeout}); err != nil {
		return err
	}
	defer w.client.Close()
	if w.other, err = w.belief.dial(w.by, w.account); err != nil {
		return err
	}
	defer func() { w.other.Close() }()
	if _, err = w.client.Select("INBOX"); err != nil {
		return err
	}
	if err = w.belief.examine(w.other, "INBOX"); err != nil {
		return err
	}
	for more() {
		did, err := w.do()
		if err != nil {
			return fmt.Errorf("%s: %w", did, err)
		}
		read := reads[w.rnd.IntN(len(reads))]
		reason, err := read.run(w)
		if err != nil {
			return fmt.Errorf("%s: %w", read.name, err)
		}
		if reason != "" {
			wrong(fmt.Sprintf("after %s, %s: %s", did, read.name, reason))
			if err := w.belief.examine(w.other, "INBOX"); err != nil {
				return err
			}
		}
	}
	return nil
}

var someFlags = []string{`\Seen`, `\Flagged`, `\Answered`, "work"}

// do does one thing, and says what.
func (w *writer) do() (string, error) {
	n := w.rnd.IntN(10)
	i := 0
	if len(w.actual) > 0 {
		i = w.rnd.IntN(len(w.actual))
	}
	switch {
	case n < 3 && len(w.actual) < 50 || len(w.actual) == 0:
		return "APPEND", w.append()
	case n < 6:
		flag := someFlags[w.rnd.IntN(len(someFlags))]
		err := w.client.UIDStore(fmt.Sprint(w.actual[i].uid), "FLAGS.SILENT", flag)
		w.actual[i].flags = flag
		return "STORE", err
	case n < 8:
		uid := fmt.Sprint(w.actual[i].uid)
		if err := w.client.UIDStore(uid, "+FLAGS.SILENT", `\Deleted`); err != nil {
			return "STORE", err
		}
		w.actual = slices.Delete(w.actual, i, i+1)
		return "EXPUNGE", w.client.UIDExpunge(uid)
	case n < 9 || len(w.mailboxes) == 0:
		w.made++
		name := fmt.Sprintf("box%d", w.made)
		w.mailboxes = append(w.mailboxes, name)
		return "CREATE", w.client.Create(name)
	}
	i = w.rnd.IntN(len(w.mailboxes))
	name := w.mailboxes[i]
	w.mailboxes = slices.Delete(w.mailboxes, i, i+1)
	return "DELETE", w.client.Delete(name)
}

func (w *writer) append() error {
	m := []byte("Subject: fresh\r\n\r\n" + strings.Repeat("line\r\n", w.rnd.IntN(1000)))
	_, uid, err := w.client.Append("INBOX", bytes.NewReader(m), int64(len(m)), imapclient.AppendOptions{})
	if err != nil {
		return err
	}
	w.actual = append(w.actual, believed{uid: uid})
	w.uidNext = uid + 1
	return nil
}
