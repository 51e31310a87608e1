package main

import (
	"context"
	"fmt"
	"log/slog"
	"reflect"
	"slices"

	"postfach/internal/mail"
	"postfach/internal/store/pebble"
	"postfach/internal/store/postgres"
)

// picture is what a store has of the mailboxes that nobody changes, all that clients can see
// but bytes.
type picture struct {
	accounts map[string]*mail.AccountState // those that nobody changes at all
	boxes    map[filled]*boxPicture
	sets     map[string][][]string // keywords, by account
}

type boxPicture struct {
	state    mail.MailboxState
	rows     []mail.Row
	vanished []mail.UIDSet // since several modification sequences
}

// looked are the moments since which vanished messages are asked for, in hundredths of the history.
var looked = []mail.ModSeq{0, 10, 50, 90, 99}

func (t *trial) pictureData() (*picture, error) {
	s, err := pebble.Open(t.data(), pebble.Options{Env: mail.SystemEnv(slog.Default())})
	if err != nil {
		return nil, err
	}
	defer s.Close()
	return t.picture(s)
}

func (t *trial) pictureStore() (*picture, error) {
	s, err := postgres.Open(context.Background(), t.store, postgres.Options{Env: mail.SystemEnv(slog.Default())})
	if err != nil {
		return nil, err
	}
	defer s.Close()
	return t.picture(s)
}

func (t *trial) picture(s mail.Store) (*picture, error) {
	p := &picture{map[string]*mail.AccountState{}, map[filled]*boxPicture{}, map[string][][]string{}}
	ctx := context.Background()
	for _, f := range t.filled {
		entry, err := s.Account(ctx, f.account)
		if err != nil {
			return nil, err
		}
		state, err := s.LoadAccount(ctx, entry.ID)
		if err != nil {
			return nil, err
		}
		if p.boxes[f], err = takeBox(ctx, s, state, f.name); err != nil {
			return nil, fmt.Errorf("%s: %w", f.account, err)
		}
		p.sets[f.account] = state.KeywordSets
		if slices.Contains(t.quiet, f.account) {
			p.accounts[f.account] = still(state)
		}
	}
	return p, nil
}

// still is a state without what may differ: the order of things, and \Recent, which sessions
// claim.
func still(state *mail.AccountState) *mail.AccountState {
	state.Ticket = mail.Ticket{}
	for i := range state.Mailboxes {
		state.Mailboxes[i].RecentFrom = 0
	}
	slices.SortFunc(state.Mailboxes, func(a, b mail.MailboxState) int { return int(a.ID) - int(b.ID) })
	slices.Sort(state.Subscriptions)
	return state
}

func takeBox(ctx context.Context, s mail.Store, state *mail.AccountState, name string) (*boxPicture, error) {
	i := slices.IndexFunc(state.Mailboxes, func(m mail.MailboxState) bool { return m.Name == name })
	if i < 0 {
		return nil, fmt.Errorf("there is no %s", name)
	}
	b := &boxPicture{state: state.Mailboxes[i]}
	b.state.RecentFrom = 0
	_, rows, err := s.LoadMailbox(ctx, state.ID, b.state.ID)
	if err != nil {
		return nil, err
	}
	for row, err := range rows {
		if err != nil {
			return nil, err
		}
		b.rows = append(b.rows, row)
	}
	for _, hundredths := range looked {
		gone, err := s.Vanished(ctx, state.ID, b.state.ID, b.state.HighestModSeq*hundredths/100)
		if err != nil {
			return nil, err
		}
		b.vanished = append(b.vanished, gone)
	}
	return b, nil
}

// compare reports what is not as it was. It counts messages.
func (t *trial) compare(before, after *picture) (messages int) {
	for f, was := range before.boxes {
		is := after.boxes[f]
		messages += len(is.rows)
		switch {
		case was.state != is.state:
			t.load.Violation("%s of %s was %+v and is %+v", f.name, f.account, was.state, is.state)
		case len(was.rows) != len(is.rows):
			t.load.Violation("%s of %s had %d messages and has %d", f.name, f.account, len(was.rows), len(is.rows))
		case !slices.Equal(was.rows, is.rows):
			i := 0
			for was.rows[i] == is.rows[i] {
				i++
			}
			t.load.Violation("%s of %s: a message was %+v and is %+v", f.name, f.account, was.rows[i], is.rows[i])
		case !reflect.DeepEqual(was.vanished, is.vanished):
			t.load.Violation("%s of %s: the history of expunges was %v and is %v", f.name, f.account, was.vanished, is.vanished)
		}
		// Load may have added keywords behind those that were there.
		if sets := after.sets[f.account]; !reflect.DeepEqual(before.sets[f.account], sets[:min(len(sets), len(before.sets[f.account]))]) {
			t.load.Violation("%s: keywords were %v and are %v", f.account, before.sets[f.account], sets)
		}
	}
	for name, was := range before.accounts {
		if is := after.accounts[name]; !reflect.DeepEqual(was, is) {
			t.load.Violation("%s was %+v and is %+v", name, was, is)
		}
	}
	return messages
}
