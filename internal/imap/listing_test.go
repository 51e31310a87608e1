package imap

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"postfach/internal/mail"
	"postfach/internal/mailbox"
	"postfach/internal/mime"
	"postfach/internal/store/mem"
)

// nastyMail is mail that real programs have stumbled over, and some that is made up.
func nastyMail(r *rand.Rand, n int) (messages []string) {
	files, _ := filepath.Glob("../../../shared/mail/*.msg")
	for _, file := range files {
		if b, err := os.ReadFile(file); err == nil {
			lf := strings.ReplaceAll(string(b), "\r\n", "\n")
			messages = append(messages, string(b), lf, strings.ReplaceAll(lf, "\n", "\r\n"))
		}
	}
	messages = append(messages, "", "\r\n", "x", "no header at all\r\nTo: late\r\n\r\nbody", "To: a", "To:", ":", "\x00")
	for len(messages) < n {
		messages = append(messages, nastyMessage(r))
	}
	r.Shuffle(len(messages), func(i, j int) { messages[i], messages[j] = messages[j], messages[i] })
	return messages[:n]
}

var nastyLines = []string{
	"To: =?utf-8?q?J=C3=BCrgen?= <j@x.example>, group: a@x.example, \"q \\\" q\" <b@x.example>;\n",
	"to :space@before.the.colon.example\n", "TO: second@x.example\n", "Cc: \x00nul\x00@x.example\n",
	"From: J\xc3\xbcrgen M\xc3\xbcller <jm@x.example>\n", "From: \xe4\xf6\xfc <latin@x.example>\n", "FROM:\n",
	"Subject: folded\n over\n\tsome\n  lines\n", "Subject: \n \n", "subject: " + strings.Repeat("long ", 300) + "\n",
	"Subject: \"quotes\" and \\ backslashes\n", "Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\n", "Date: yesterday\n",
	"Message-ID: <1@x.example>\n", "Message-ID: <2@x.example> (twice)\n", "References: <1@x.example>\n\t<2@x.example>\n",
	"References: " + strings.Repeat("<abcdefgh@x.example>\n ", 300) + "<last@x.example>\n", "In-Reply-To: <1@x.example>\n",
	"Bcc: " + strings.Repeat("someone@x.example, ", 250) + "last@x.example\n", "Subject: " + strings.Repeat("x", 5000) + "\n",
	"Content-Type: multipart/mixed; boundary=b\n", "Content-Type: text/plain; charset*=utf-8''%C3%BC; name=\"\xc3\xbc.txt\"\n",
	"Content-Type: message/rfc822\n", "Content-Type: message/global\n", "Content-Disposition: attachment; filename*0*=''a%20; filename*1=b\n",
	"Content-Language: de, en\n", "List-Id: <list.x.example>\n", "X-Unlisted: x\n", "junk without a colon\n", ">From mbox\n", "From mbox\n",
	" folded at first\n", "X-Priority: 1\n", "Reply-To: r@x.example\n", "Sender: s@x.example\n", "List-Post: \r\r\n", "Lines: 1\r x\n",
}

func nastyMessage(r *rand.Rand) string {
	var b strings.Builder
	for range r.IntN(12) {
		b.WriteString(nastyLines[r.IntN(len(nastyLines))])
	}
	if r.IntN(8) > 0 {
		b.WriteString("\n")
	}
	for range r.IntN(3) {
		b.WriteString("--b\nContent-Type: message/rfc822\n\n")
		for range r.IntN(4) {
			b.WriteString(nastyLines[r.IntN(len(nastyLines))])
		}
		b.WriteString("\ntext\n")
	}
	if text := b.String(); r.IntN(3) > 0 {
		return strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\n", "\r\n")
	}
	return b.String()
}

// listCommands are commands that listings have, or have something of, or nothing.
func listCommands(r *rand.Rand, n int) []string {
	commands := []string{
		"FETCH 1:* (ENVELOPE BODYSTRUCTURE INTERNALDATE RFC822.SIZE)", "FETCH 1:* FULL", "UID FETCH 1:* (BODY PREVIEW FLAGS)",
		"FETCH 1:* (UID BODY.PEEK[HEADER.FIELDS (From TO cc Subject Date Message-ID References)])",
		"FETCH 1:* (BODY.PEEK[HEADER.FIELDS (Date)] ENVELOPE BODY.PEEK[HEADER.FIELDS (to X-TUID \"to\")])",
		"FETCH 1:* (BODY.PEEK[HEADER.FIELDS (X-Unlisted To)])", "FETCH 1:* (BODY.PEEK[HEADER.FIELDS.NOT (To)] ENVELOPE)",
		"FETCH 1:* (BODY.PEEK[HEADER.FIELDS (To Subject)]<3.5>)", "FETCH 1:* (ENVELOPE BODY.PEEK[1.HEADER.FIELDS (To)])",
		"UID FETCH 1:* (BODY.PEEK[HEADER.FIELDS (\"\xc3\xbc\" Newsgroups)] PREVIEW (LAZY))", "FETCH 1:* (ENVELOPE BODY.PEEK[HEADER])",
	}
	var names []string
	for name := range listedFields {
		names = append(names, name)
	}
	slices.Sort(names)
	for range 4 {
		r.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		first := 1 + r.IntN(n-40)
		commands = append(commands, fmt.Sprintf("FETCH %d:%d (BODY.PEEK[HEADER.FIELDS (%s)])", first, first+r.IntN(40),
			strings.Join(names[:1+r.IntN(len(names))], " ")),
			fmt.Sprintf("UID FETCH %d,%d:* (ENVELOPE BODYSTRUCTURE)", first, first+30))
	}
	return commands
}

// settle waits until what was learnt is written, and forgets what is in memory.
func (r *rig) settle() {
	r.s.server.wg.Wait()
	r.s.server.listings = newListings(1 << 20)
}

// eachListing calls f for the listings in the store.
func (r *rig) eachListing(messages int, f func(key listingKey, name string, sealed []byte)) {
	for number := range uint64(messages/mailbox.BlockMessages + 1) {
		for _, item := range []string{"ENVELOPE", "BODYSTRUCTURE", "BODY", "PREVIEW", fieldsColumn} {
			column := item
			if item != fieldsColumn {
				column += r.s.rendering()
			}
			name := "block/" + fmt.Sprint(number) + "/" + column
			if b, err := r.store.Derived(r.t.Context(), 1, name); err == nil {
				f(listingKey{ownerOf(r.s.account), number, column}, name, b)
			}
		}
	}
}

// TestListings: what FETCH tells does not depend on what is known of the messages, or on
// what has become of what the store has of it.
func TestListings(t *testing.T) {
	const messages = 330
	rng := rand.New(rand.NewPCG(1, 2))
	r := newRig(t, nastyMail(rng, messages)...)
	for _, mode := range []func(*session){func(*session) {}, (*session).acceptUTF8, (*session).enableRev2} {
		mode(r.s)
		commands := listCommands(rng, messages)
		var want []string
		r.settle()
		r.s.server.listings = newListings(-1)
		for _, c := range commands {
			want = append(want, r.do("a "+c))
		}
		same := func(state string) {
			t.Helper()
			for _, i := range rng.Perm(len(commands)) {
				if got := r.do("a " + commands[i]); got != want[i] {
					t.Fatalf("%q, %s: %s\n%s", r.s.rendering(), state, commands[i], differ(got, want[i]))
				}
			}
		}
		r.settle()
		same("when nothing is known")
		same("when all is in memory")
		found := 0
		r.settle()
		r.eachListing(messages, func(listingKey, string, []byte) { found++ })
		if found != 3*5 {
			t.Fatalf("%d listings have been written", found)
		}
		same("when the store has all")
		for round := range 4 {
			r.settle()
			r.spoil(rng, messages)
			same(fmt.Sprint("when something is damaged ", round))
		}
	}
}

// spoil does to each listing in the store what should not happen, or nothing.
func (r *rig) spoil(rng *rand.Rand, messages int) {
	var last []byte
	r.eachListing(messages, func(key listingKey, name string, b []byte) {
		was := bytes.Clone(b)
		switch rng.IntN(8) {
		case 0:
			if err := r.store.DropDerived(r.t.Context(), 1, name); err != nil {
				r.t.Fatal(err)
			}
			return
		case 1:
			b[rng.IntN(len(b))] ^= 1 << rng.IntN(8)
		case 2:
			b = b[:rng.IntN(len(b))]
		case 3: // of another program, and with other texts
			l := bytes.ToUpper(key.open(b))
			l[rng.IntN(2)]++
			b = key.seal(l)
		case 4: // entries that can't be right
			l := key.open(b)
			l[4+rng.IntN(4*mailbox.BlockMessages)] ^= 0x80
			if b = key.seal(l); l.sound() {
				b = nil
			}
		case 5:
			if last != nil {
				b = last
			}
		case 6: // some are not known
			l := key.open(b)
			var some []learnt
			for place := range mailbox.BlockMessages {
				if text, state := l.find(place); state != textUnknown && rng.IntN(2) == 0 {
					some = append(some, learnt{place, state, text})
				}
			}
			b = key.seal(listing(nil).with(some))
		}
		last = was
		if err := r.store.PutDerived(r.t.Context(), 1, name, b); err != nil {
			r.t.Fatal(err)
		}
	})
}

// differ shows where two texts begin to differ.
func differ(got, want string) string {
	i := 0
	for i < len(got) && i < len(want) && got[i] == want[i] {
		i++
	}
	from := max(0, i-200)
	return fmt.Sprintf("got  ...%.400q\nwant ...%.400q", got[from:], want[from:])
}

// TestListingsAreUsed: nothing is read of messages that listings have, also after a restart,
// and what a client asks for one by one is remembered.
func TestListingsAreUsed(t *testing.T) {
	var messages []string
	for i := range 300 {
		messages = append(messages, listMail(i))
	}
	r := newRig(t, messages...)
	commands := []string{
		"a FETCH 1:* FULL", "a UID FETCH 1:* (BODYSTRUCTURE)", "a UID FETCH 1:* (PREVIEW BODY[HEADER.FIELDS (TO CC NEWSGROUPS)])",
		"a FETCH 7 (ENVELOPE)",
	}
	reads := func() int {
		r.store.reads = 0
		for _, c := range commands {
			if said := r.do(c); !strings.HasSuffix(said, "a OK done\r\n") {
				t.Fatal(said)
			}
		}
		return r.store.reads
	}
	if reads() == 0 {
		t.Error("everything was known")
	}
	if n := reads(); n != 0 {
		t.Errorf("%d reads when all is in memory", n)
	}
	r.settle()
	if n := reads(); n != 0 {
		t.Errorf("%d reads when the store has all", n)
	}
	r.settle()
	commands = []string{"a FETCH 8 (ENVELOPE)"}
	if n := reads(); n == 0 {
		t.Error("a block was read for a single message")
	}
	if n := reads(); n != 0 {
		t.Errorf("%d reads of a message that was asked for before", n)
	}
}

// TestListingIsWrittenWhenDurable: before that, an id can come to name another message.
func TestListingIsWrittenWhenDurable(t *testing.T) {
	var messages []string
	for i := range 40 {
		messages = append(messages, listMail(i))
	}
	r := newRigOn(t, []mem.Option{mem.ManualSync()}, messages...)
	r.store.Hold()
	op := &mailbox.Append{Mailbox: r.s.view.Mailbox().ID, Now: 1, Messages: r.incoming(messages...)}
	if _, err := r.s.account.Do(t.Context(), op); err != nil {
		t.Fatal(err)
	}
	done := make(chan string)
	go func() { done <- r.do("a FETCH 1:* (ENVELOPE)") }()
	for r.s.server.listings.known.Get(listingKey{ownerOf(r.s.account), 0, "ENVELOPE"}) == nil {
		select {
		case <-done:
			t.Fatal("told before it was durable")
		default:
		}
	}
	if _, err := r.store.Derived(t.Context(), 1, "block/0/ENVELOPE"); !mail.Is(err, mail.NotFound) {
		t.Error("written before it was durable:", err)
	}
	r.store.Release()
	<-done
	r.s.server.wg.Wait()
	if _, err := r.store.Derived(t.Context(), 1, "block/0/ENVELOPE"); err != nil {
		t.Error("not written:", err)
	}
}

// TestListingFormat: what other programs may have written is read, or not.
func TestListingFormat(t *testing.T) {
	key := listingKey{number: 7, column: "ENVELOPE"}
	l := listing(nil).with([]learnt{{0, textKnown, []byte("first")}, {5, textLong, nil}, {127, textKnown, []byte("last")}})
	if again := key.open(key.seal(l)); !bytes.Equal(again, l) || again.known() != 3 {
		t.Errorf("%q", again)
	}
	if l[0] != listingVersion || l[1] != mime.Version {
		t.Errorf("versions %d", l[:2])
	}
	for place, want := range map[int]string{0: "first 40000000", 1: " 0", 5: " 80000000", 126: " 0", 127: "last 40000000"} {
		if text, state := l.find(place); fmt.Sprintf("%s %x", text, state) != want {
			t.Errorf("%d: %s %x", place, text, state)
		}
	}
	for _, other := range []listingKey{{number: 8, column: "ENVELOPE"}, {number: 7, column: "BODY"}} {
		if other.open(key.seal(l)) != nil {
			t.Error("that of another block is taken for one's own")
		}
	}
}
