package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"postfach/internal/imapclient"
)

// reads are the commands that have to see all that was acknowledged before them.
var reads = []struct {
	name string
	run  func(w *writer) (wrong string, err error)
}{
	{"NOOP", func(w *writer) (string, error) { return w.news(w.other.Noop()) }},
	{"CHECK", func(w *writer) (string, error) {
		_, err := w.other.Run("CHECK")
		return w.news(err)
	}},
	{"IDLE", (*writer).idle},
	{"SELECT", func(w *writer) (string, error) { return w.news(w.belief.examine(w.other, "INBOX")) }},
	{"STATUS", func(w *writer) (string, error) { return w.status(w.other) }},
	{"SELECT of a new session", (*writer).newSelect},
	{"STATUS of a new session", func(w *writer) (string, error) { return w.newSession(w.status) }},
	{"LIST of a new session", func(w *writer) (string, error) { return w.newSession(w.list) }},
	{"LIST after NOOP", func(w *writer) (string, error) {
		if err := w.other.Noop(); err != nil {
			return "", err
		}
		return w.list(w.other)
	}},
}

// news compares what the selected session knows now; where it knows of an arrival no more
// than that, it asks.
func (w *writer) news(err error) (string, error) {
	if err != nil {
		return "", err
	}
	if wrong := w.belief.differs(w.actual); wrong != "" {
		return wrong, nil
	}
	if err := w.belief.read(w.other); err != nil {
		return "", err
	}
	return w.belief.differs(w.actual), nil
}

// idleTimeout is far below the time after which a server looks by itself.
const idleTimeout = 300 * time.Millisecond

// idle wants what is new with the beginning of IDLE.
func (w *writer) idle() (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), idleTimeout)
	defer cancel()
	if w.belief.differs(w.actual) == "" {
		cancel()
	}
	err := w.other.Idle(ctx, func(n imapclient.News) {
		w.belief.hear(n)
		if w.belief.differs(w.actual) == "" {
			cancel()
		}
	})
	return w.belief.differs(w.actual), err
}

func (w *writer) status(c *imapclient.Client) (string, error) {
	s, err := c.Status("INBOX", "MESSAGES", "UIDNEXT", "UNSEEN")
	if err != nil {
		return "", err
	}
	unseen := 0
	for _, m := range w.actual {
		if m.flags != `\Seen` {
			unseen++
		}
	}
	got := fmt.Sprintf("MESSAGES %d UIDNEXT %d UNSEEN %d", s["MESSAGES"], s["UIDNEXT"], s["UNSEEN"])
	want := fmt.Sprintf("MESSAGES %d UIDNEXT %d UNSEEN %d", len(w.actual), w.uidNext, unseen)
	if got != want {
		return got + ", not " + want, nil
	}
	return "", nil
}

func (w *writer) list(c *imapclient.Client) (string, error) {
	all, err := c.List("", "box*")
	if err != nil {
		return "", err
	}
	got := []string{}
	for _, m := range all {
		got = append(got, m.Name)
	}
	want := append([]string{}, w.mailboxes...)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		return fmt.Sprintf("%v, not %v", got, want), nil
	}
	return "", nil
}

func (w *writer) newSession(read func(*imapclient.Client) (string, error)) (string, error) {
	c, err := w.by.Login(context.Background(), w.account, imapclient.Options{Timeout: answerTimeout})
	if err != nil {
		return "", err
	}
	defer c.Close()
	return read(c)
}

func (w *writer) newSelect() (string, error) {
	found, err := look(w.by, w.account, "INBOX")
	if err != nil {
		return "", err
	}
	b := belief{messages: found}
	return b.differs(w.actual), nil
}
