package imap

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"postfach/internal/mail"
	"postfach/internal/mailbox"
	"postfach/internal/metrics"
	"postfach/internal/store/mem"
)

// readStore is a store whose messages can be lost or damaged, and that counts what
// is read.
type readStore struct {
	*mem.Store
	faults map[mail.MessageID]error
	torn   map[mail.MessageID]int64 // bodies that can't be read from this byte on
	reads  int
}

func (s *readStore) Message(ctx context.Context, a mail.AccountID, id mail.MessageID) (*mail.Message, error) {
	s.reads++
	if err := s.faults[id]; err != nil {
		return nil, err
	}
	return s.Store.Message(ctx, a, id)
}

func (s *readStore) Inline(ctx context.Context, a mail.AccountID, id mail.MessageID) ([]byte, error) {
	s.reads++
	return s.Store.Inline(ctx, a, id)
}

func (s *readStore) Open(ctx context.Context, a mail.AccountID, ref mail.Ref) (mail.Body, error) {
	b, err := s.Store.Open(ctx, a, ref)
	for _, at := range s.torn {
		b = tornBody{b, at}
	}
	return b, err
}

type tornBody struct {
	mail.Body
	at int64
}

func (b tornBody) ReadAt(p []byte, offset int64) (int, error) {
	if offset >= b.at {
		return 0, mail.Wrap(mail.Corrupt, errors.New("torn"))
	}
	p = p[:min(int64(len(p)), b.at-offset)]
	n, err := b.Body.ReadAt(p, offset)
	return n, err
}

// rig is a session on a store with faults.
type rig struct {
	t     testing.TB
	store *readStore
	s     *session
	c     *heard
}

// heard is a replay that keeps what is said.
type heard struct {
	replay
	out    bytes.Buffer
	broken error
}

func (c *heard) Write(b []byte) (int, error) {
	if c.broken != nil {
		return 0, c.broken
	}
	return c.out.Write(b)
}

// newRig selects an INBOX with these messages.
func newRig(t testing.TB, messages ...string) *rig { return newRigOn(t, nil, messages...) }

func newRigOn(t testing.TB, options []mem.Option, messages ...string) *rig {
	t.Helper()
	env := mail.SystemEnv(quietLog)
	store := &readStore{Store: mem.New(env, options...), faults: map[mail.MessageID]error{}, torn: map[mail.MessageID]int64{}}
	engine, account := annaIn(t, env, store)
	r := &rig{t: t, store: store, c: new(heard)}
	srv := New(Options{Engine: engine, Env: env, Metrics: new(metrics.Metrics)})
	r.s = srv.session(t.Context(), r.c)
	r.s.account, r.s.state, r.s.name = account, authenticated, "anna"
	op := &mailbox.Append{Mailbox: account.Tree().Lookup(mailbox.Inbox).ID, Now: 1, Messages: r.incoming(messages...)}
	if _, err := account.Do(t.Context(), op); err != nil {
		t.Fatal(err)
	}
	r.do("a SELECT INBOX")
	return r
}

// incoming uploads messages.
func (r *rig) incoming(messages ...string) (all []mailbox.Incoming) {
	r.t.Helper()
	for _, text := range messages {
		u := r.s.account.Upload(r.t.Context(), int64(len(text)))
		r.t.Cleanup(u.Release)
		_, _ = u.Write([]byte(text))
		in, err := u.Finish()
		if err != nil {
			r.t.Fatal(err)
		}
		all = append(all, in)
	}
	return all
}

// do runs one command and returns all that is said.
func (r *rig) do(command string) string {
	r.t.Helper()
	r.c.out.Reset()
	r.c.feed = []byte(command + "\r\n")
	if err := r.s.step(); err != nil {
		return r.c.out.String() + "<" + err.Error() + ">"
	}
	if err := r.s.w.Flush(); err != nil {
		return r.c.out.String() + "<" + err.Error() + ">"
	}
	return r.c.out.String()
}

func (r *rig) wants(command, want string) {
	r.t.Helper()
	want = strings.ReplaceAll(strings.ReplaceAll(want, "\r\n", "\n"), "\n", "\r\n")
	if got := r.do(command); got != want {
		r.t.Errorf("%.200s\ngot  %.1000q\nwant %.1000q", command, got, want)
	}
}

func (r *rig) message(uid mail.UID) mail.MessageID {
	var id mail.MessageID
	r.s.view.EachUID(mail.UIDs(uid), func(row *mailbox.Row) bool {
		id = row.Fixed.Message
		return true
	})
	return id
}

// A message that is gone or damaged does not keep the others from being answered
// (RFC 2180 4.1.2, RFC 5530 3).
func TestFetchUnreadable(t *testing.T) {
	r := newRig(t, "A: 1\r\n\r\none", "A: 2\r\n\r\ntwo", "A: 3\r\n\r\nthree")
	r.store.faults[r.message(2)] = mail.Errorf(mail.NotFound, "gone")
	r.wants("b FETCH 1:3 BODY.PEEK[TEXT]",
		"* 1 FETCH (BODY[TEXT] {3}\none)\n* 3 FETCH (BODY[TEXT] {5}\nthree)\nb NO [EXPUNGEISSUED] some of the messages have been expunged\n")
	r.store.faults[r.message(2)] = mail.Wrap(mail.Corrupt, errors.New("checksum"))
	r.wants("c FETCH 1:3 (UID ENVELOPE)",
		"* 1 FETCH (UID 1 ENVELOPE (NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL))\n"+
			"* 3 FETCH (UID 3 ENVELOPE (NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL))\n"+
			"c NO [CORRUPTION] some of the messages can't be read\n")
	// It has been made \Seen with the others, and the client is told.
	r.wants("d UID FETCH 2:3 BODY[TEXT]",
		"* 2 FETCH (FLAGS (\\Seen \\Recent) UID 2)\n"+
			"* 3 FETCH (FLAGS (\\Seen \\Recent) UID 3 BODY[TEXT] {5}\nthree)\n"+
			"d NO [CORRUPTION] some of the messages can't be read\n")
	// All of it is read only while it is written, and nothing of it has left.
	r.wants("e1 FETCH 1:3 (UID BODY.PEEK[])",
		"* 1 FETCH (UID 1 BODY[] {11}\nA: 1\n\none)\n* 3 FETCH (UID 3 BODY[] {13}\nA: 3\n\nthree)\n"+
			"e1 NO [CORRUPTION] some of the messages can't be read\n")
	// What is in memory is answered nevertheless.
	r.wants("e FETCH 2 (FLAGS RFC822.SIZE)", "* 2 FETCH (FLAGS (\\Seen \\Recent) RFC822.SIZE 11)\ne OK done\n")
	r.wants("f SEARCH BODY t", "* NO [CORRUPTION] some of the messages can't be read\n* SEARCH 3\nf OK done\n")
	r.wants("g SEARCH NOT BODY t", "* NO [CORRUPTION] some of the messages can't be read\n* SEARCH 1\ng OK done\n")
	// The store is away: that is about all of them, and what was marked is told as news.
	r.store.faults[r.message(1)] = mail.Errorf(mail.Unavailable, "away")
	r.wants("h FETCH 1:3 BODY[TEXT]",
		"* 1 FETCH (FLAGS (\\Seen \\Recent) UID 1)\nh NO [UNAVAILABLE] the mail store is not available, try again later\n")
	r.wants("i SEARCH BODY t", "i NO [UNAVAILABLE] the mail store is not available, try again later\n")
}

// A body that breaks in the middle of a literal ends the connection: nothing that
// could be said then would be taken for anything but the message.
func TestFetchTorn(t *testing.T) {
	text := "A: 1\r\n\r\n" + strings.Repeat("0123456789", 20_000)
	r := newRig(t, text)
	r.store.torn[1] = 100_000
	got := r.do("b FETCH 1 BODY.PEEK[]")
	if !strings.HasPrefix(got, fmt.Sprintf("* 1 FETCH (BODY[] {%d}\r\nA: 1", len(text))) || !strings.HasSuffix(got, "<torn>") && !strings.Contains(got, "corrupt") {
		t.Errorf("%d bytes, %.60q ... %q", len(got), got, got[max(0, len(got)-60):])
	}
	if strings.Contains(got, "b OK") || strings.Contains(got, "b NO") {
		t.Error("the command has been answered")
	}
	// Where reading begins in what is broken, there is still a way to say so.
	r = newRig(t, text)
	r.store.torn[1] = 100_000
	r.wants("c FETCH 1 BODY.PEEK[]<150000.10>", "c NO [CORRUPTION] some of the messages can't be read\n")
	r.wants("d FETCH 1 (BODY.PEEK[]<0.10> BODY.PEEK[]<150000.10>)", "d NO [CORRUPTION] some of the messages can't be read\n")
	// So there is while nothing of the response has left.
	r.store.torn[1] = 1000
	r.wants("e FETCH 1 (FLAGS BODY.PEEK[])", "e NO [CORRUPTION] some of the messages can't be read\n")
	r.wants("f FETCH 1 BODY.PEEK[]<0.10>", "* 1 FETCH (BODY[]<0> {10}\nA: 1\n\n01)\nf OK done\n")
}

// Large messages and headers are streamed, and come out as they went in.
func TestFetchLarge(t *testing.T) {
	field := "X-Long: " + strings.Repeat("y", 60) + "\r\n"
	header := "Subject: x\r\n" + strings.Repeat(field, 2*filteredBytesMax/len(field)) + "\r\n"
	text := header + strings.Repeat("0123456789", 50_000)
	r := newRig(t, text)
	r.wants("b FETCH 1 BODY.PEEK[]", fmt.Sprintf("* 1 FETCH (BODY[] {%d}\n%s)\nb OK done\n", len(text), text))
	picked := strings.TrimPrefix(header, "Subject: x\r\n")
	r.wants("c FETCH 1 (BODY.PEEK[HEADER.FIELDS (X-Long)] BODY.PEEK[HEADER.FIELDS (Subject)])",
		fmt.Sprintf("* 1 FETCH (BODY[HEADER.FIELDS (X-Long)] {%d}\n%s BODY[HEADER.FIELDS (Subject)] {14}\nSubject: x\n\n)\nc OK done\n", len(picked), picked))
	r.wants("d FETCH 1 BODY.PEEK[HEADER.FIELDS (X-Long)]<300000.9>",
		fmt.Sprintf("* 1 FETCH (BODY[HEADER.FIELDS (X-Long)]<300000> {9}\n%s)\nd OK done\n", picked[300_000:300_009]))
	if n := r.s.requests[commandTable["FETCH"].number].(*fetchRequest).message.filtered.Cap(); n > keptBytes {
		t.Errorf("%d bytes are kept between commands", n)
	}
}

// What a FETCH of flags, sizes and dates asks for is in memory.
func TestFetchFromMemory(t *testing.T) {
	r := newRig(t, "A: 1\r\n\r\none", "A: 2\r\n\r\ntwo")
	r.store.reads = 0
	for _, command := range []string{
		"b FETCH 1:* FAST", "b UID FETCH 1:* (FLAGS INTERNALDATE RFC822.SIZE)", "b SEARCH UNSEEN LARGER 3 SINCE 1-Jan-1970",
		"b SEARCH SEEN TEXT one", "b SEARCH OR UNSEEN TEXT one",
	} {
		if got := r.do(command); !strings.HasSuffix(got, "b OK done\r\n") {
			t.Errorf("%s: %s", command, got)
		}
		if r.store.reads != 0 {
			t.Errorf("%s reads %d times", command, r.store.reads)
		}
	}
	r.do("b FETCH 1:2 BODY.PEEK[]")
	if r.store.reads == 0 {
		t.Error("nothing is counted")
	}
}

// One STORE makes all messages of a FETCH \Seen: they have one modification
// sequence.
func TestFetchMarksAtOnce(t *testing.T) {
	r := newRig(t, "A: 1\r\n\r\n1", "A: 2\r\n\r\n2", "A: 3\r\n\r\n3")
	before := r.s.view.State().HighestModSeq
	r.do("b FETCH 1:* BODY[]")
	if after := r.s.view.State().HighestModSeq; after != before+1 {
		t.Errorf("from %d to %d", before, after)
	}
	r.do("c FETCH 1:* BODY[]")
	if after := r.s.view.State().HighestModSeq; after != before+1 {
		t.Errorf("from %d to %d, though all were seen", before, after)
	}
}

// A command can't ask for too much.
func TestFetchLimits(t *testing.T) {
	r := newRig(t, "A: 1\r\n\r\none")
	for _, c := range []struct {
		what, each, end string
		most            int
	}{
		{"b FETCH 1 (UID", " BODY.PEEK[]", ")", fetchItemsMax - 1},
		{"b FETCH 1 BODY.PEEK[1", ".1", "]", sectionPartsMax - 1},
		{"b FETCH 1 BODY.PEEK[HEADER.FIELDS (A", " A", ")]", headerNamesMax - 1},
		{"b SEARCH ALL", " ALL", "", searchKeysMax - 1},
		{"b SEARCH ", "OR ALL ", "ALL", (searchKeysMax - 1) / 2},
		{"b SEARCH ", "NOT ", "ALL", 99},
		{"b SEARCH ", "(", "ALL" + strings.Repeat(")", 99), 99},
	} {
		if got := r.do(c.what + strings.Repeat(c.each, c.most) + c.end); !strings.HasSuffix(got, "b OK done\r\n") {
			t.Errorf("%s %d: %.200s", c.what, c.most, got)
		}
		r.s.badInRow = 0
		if got := r.do(c.what + strings.Repeat(c.each, c.most+2) + c.end); !strings.HasPrefix(got, "b BAD") {
			t.Errorf("%s %d: %.200s", c.what, c.most+2, got)
		}
	}
	long := strings.Repeat("x", searchTextBytesMax)
	r.wants("c SEARCH TEXT "+long, "* SEARCH\nc OK done\n")
	r.wants("c SEARCH TEXT "+long+"x", "c NO [LIMIT] a text to search for can have 4096 bytes at most\n")
}
