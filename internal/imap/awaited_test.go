package imap

import (
	"context"
	"slices"
	"sync"
	"testing"

	"postfach/internal/mail"
	"postfach/internal/store/mem"
)

// noting is a store that notes which commits it is told somebody waits for.
type noting struct {
	*mem.Store
	mu      sync.Mutex
	awaited []bool
}

func (n *noting) Commit(ctx context.Context, c *mail.Commit) (mail.Committed, error) {
	n.mu.Lock()
	n.awaited = append(n.awaited, c.Awaited)
	n.mu.Unlock()
	return n.Store.Commit(ctx, c)
}

func (n *noting) take() []bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	noted := n.awaited
	n.awaited = nil
	return noted
}

// TestAwaited: the store is told that a client waits, when it has sent no more commands.
func TestAwaited(t *testing.T) {
	inner := mem.New(mail.SystemEnv(quietLog))
	store := &noting{Store: inner}
	k := talk(t, serveStore(t, store, inner))
	k.say("1 LOGIN anna secret")
	k.hear("1 OK")
	store.take()
	for _, test := range []struct {
		say, hear string
		want      []bool
	}{
		{"2 " + appendHello, "2 OK", []bool{true}},
		{"3 CREATE a\r\n4 CREATE b\r\n5 CREATE c", "5 OK", []bool{false, false, true}},
		{"6 SELECT INBOX", "6 OK", nil},
		{"7 STORE 1 +FLAGS (\\Seen)", "7 OK", []bool{true}},
		{"8 STORE 1 +FLAGS (\\Flagged)\r\n9 NOOP", "9 OK", []bool{false}},
	} {
		k.say("%s", test.say)
		k.hear(test.hear)
		if got := store.take(); !slices.Equal(got, test.want) {
			t.Errorf("%q: awaited %v, want %v", test.say, got, test.want)
		}
	}
}
