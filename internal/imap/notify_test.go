package imap

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// picture is what there is in an account, or what a client believes: each mailbox with its
// counters, and the subscriptions.
type picture struct {
	mailboxes  map[string]string
	subscribed map[string]bool
}

func newPicture() picture {
	return picture{mailboxes: map[string]string{}, subscribed: map[string]bool{}}
}

// hearer is a client that has asked for all news with NOTIFY and builds its picture of the
// account from them. Only what it does itself it works out, or asks for.
type hearer struct {
	*believer
	picture
	selected string
}

const allNews = "NOTIFY SET STATUS (SELECTED (MessageNew (UID FLAGS) MessageExpunge FlagChange)) " +
	"(PERSONAL (MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange))"

func newHearer(t *testing.T, address string) *hearer {
	h := &hearer{believer: newBeliever(t, address), picture: newPicture()}
	h.other = h.tell
	h.leave()
	h.do("UNSELECT", false)
	h.do(`LIST (SUBSCRIBED) "" *`, false)
	h.do(allNews, false)
	return h
}

var (
	listLine   = regexp.MustCompile(`^\* LIST \(([^)]*)\) "/" (\S+)(?: \("OLDNAME" \((\S+)\)\))?$`)
	statusLine = regexp.MustCompile(`^\* STATUS (\S+) \(MESSAGES (\d+) UIDNEXT (\d+) UIDVALIDITY (\d+) UNSEEN (\d+)`)
)

// tell takes in a line about mailboxes.
func (p *picture) tell(line string) {
	if m := listLine.FindStringSubmatch(line); m != nil {
		name, old := m[2], m[3]
		if old != "" {
			p.rename(old, name)
		}
		if strings.Contains(m[1], `\NonExistent`) {
			delete(p.mailboxes, name)
		} else if _, known := p.mailboxes[name]; !known {
			p.mailboxes[name] = ""
		}
		p.subscribe(name, strings.Contains(m[1], `\Subscribed`))
	}
	if m := statusLine.FindStringSubmatch(line); m != nil {
		p.mailboxes[m[1]] = strings.Join(m[2:], " ")
	}
}

func (h *hearer) tell(line string) {
	if m := listLine.FindStringSubmatch(line); m != nil && m[3] != "" {
		h.follow(m[3], m[2])
	}
	h.picture.tell(line)
}

// follow keeps the name of the selected mailbox.
func (h *hearer) follow(from, to string) {
	if h.selected == from || strings.HasPrefix(h.selected, from+"/") {
		h.selected = to + h.selected[len(from):]
	}
}

func (p *picture) subscribe(name string, on bool) {
	if on {
		p.subscribed[name] = true
	} else {
		delete(p.subscribed, name)
	}
}

func (p *picture) rename(from, to string) {
	for name, counters := range maps.Clone(p.mailboxes) {
		if name == from || strings.HasPrefix(name, from+"/") {
			delete(p.mailboxes, name)
			p.mailboxes[to+name[len(from):]] = counters
		}
	}
}

// look asks for the whole picture. It is complete, whatever anybody was told.
func look(b *believer) picture {
	p := newPicture()
	b.other = p.tell
	b.do(`LIST "" * RETURN (SUBSCRIBED STATUS (MESSAGES UIDNEXT UIDVALIDITY UNSEEN))`, false)
	b.do(`LIST (SUBSCRIBED) "" *`, false)
	return p
}

// differs says in what the client's picture is not the true one. Of its selected mailbox it
// knows the messages instead of the counters.
func (h *hearer) differs(p picture) string {
	for name := range p.mailboxes {
		if name != h.selected && p.mailboxes[name] != h.mailboxes[name] {
			return fmt.Sprintf("%s is %q, the client believes %q", name, p.mailboxes[name], h.mailboxes[name])
		}
	}
	for name := range h.mailboxes {
		if _, ok := p.mailboxes[name]; !ok {
			return fmt.Sprintf("the client believes in %s", name)
		}
	}
	if !maps.Equal(p.subscribed, h.subscribed) {
		return fmt.Sprintf("subscribed: %v, the client believes %v", p.subscribed, h.subscribed)
	}
	return ""
}

// settle reads what is pushed until the client's picture is the true one.
func (h *hearer) settle(prober *believer) {
	h.t.Helper()
	p := look(prober)
	h.listen(func() string { return h.differs(p) })
	if h.selected == "" {
		return
	}
	prober.uids, prober.exists = nil, 0
	prober.do("EXAMINE "+h.selected, false)
	prober.learn()
	prober.do("UNSELECT", false)
	h.listen(func() string {
		if known, messages := seen(h.believer), seen(prober); known != messages {
			return fmt.Sprintf("%s has\n%s, the client believes\n%s", h.selected, messages, known)
		}
		return ""
	})
}

// listen reads what is pushed until nothing is wrong any more.
func (h *hearer) listen(wrong func() string) {
	h.t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for wrong() != "" {
		_ = h.c.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
		_, err := h.r.Peek(1)
		_ = h.c.SetReadDeadline(time.Time{})
		switch {
		case err == nil:
			h.hear(h.line())
		case time.Now().After(deadline):
			h.t.Fatalf("after %s: %s", h.command, wrong())
		}
	}
}

// seen writes down which messages a client counts, with their flags.
func seen(b *believer) string {
	var s strings.Builder
	for _, u := range b.uids {
		fmt.Fprintf(&s, "%s(%s) ", u, b.flags[u])
	}
	return s.String()
}

// learnByUID asks for what the client has put there itself: it uses no numbers, which can
// change at any time.
func (h *hearer) learnByUID() {
	h.t.Helper()
	if slices.Contains(h.uids, "") {
		h.do("UID FETCH 1:* (FLAGS)", false)
	}
	if slices.Contains(h.uids, "") {
		h.t.Fatalf("a message was not fetched: %s", seen(h.believer))
	}
}

// act does one thing as a client would that wants to stay up to date without asking.
func (h *hearer) act(rng *rand.Rand, w *working) {
	h.t.Helper()
	if h.idling {
		fmt.Fprintf(h.c, "DONE\r\n")
		h.until(fmt.Sprintf("t%d ", h.tag))
		h.idling = false
	}
	name := w.existing(h.picture)
	switch rng.IntN(9) {
	case 0:
		h.tag++
		h.command = "IDLE"
		fmt.Fprintf(h.c, "t%d IDLE\r\n", h.tag)
		h.until("+ ")
		h.idling = true
		return
	case 1, 2:
		h.leave()
		if rng.IntN(3) > 0 {
			h.enter(name)
		}
	case 3:
		h.do("APPEND "+name+" {9+}\r\na: b\r\n\r\nx", false)
	case 4:
		if h.selected != "" && h.exists > 0 {
			h.do(fmt.Sprintf("UID STORE %s +FLAGS (%s)", h.uids[rng.IntN(h.exists)], storable[rng.IntN(3)]), false)
		}
	case 5:
		if h.selected != "" && h.exists > 0 {
			h.do("UID MOVE "+h.uids[rng.IntN(h.exists)]+" "+name, false)
		}
	case 6:
		if fresh := w.fresh(); h.did("CREATE " + fresh) {
			h.mailboxes[fresh] = ""
			h.do("STATUS "+fresh+" (MESSAGES UIDNEXT UIDVALIDITY UNSEEN)", false)
		}
	case 7:
		if fresh := w.fresh(); name != "INBOX" && h.did("RENAME "+name+" "+fresh) {
			h.rename(name, fresh)
			h.follow(name, fresh)
		}
	case 8:
		if on := rng.IntN(2) == 0; h.did([]string{"UNSUBSCRIBE ", "SUBSCRIBE "}[map[bool]int{true: 1}[on]] + name) {
			h.subscribe(name, on)
		}
	}
	h.learnByUID()
}

func (h *hearer) did(command string) bool { return strings.HasPrefix(h.do(command, false), "OK") }

func (h *hearer) leave() {
	if h.selected != "" {
		h.selected = ""
		h.do("UNSELECT", false)
	}
	h.uids, h.exists = nil, 0
	clear(h.flags)
}

// enter selects a mailbox and reads what is in it, from which it knows its counters.
func (h *hearer) enter(name string) {
	h.selected = name
	if !h.did("SELECT " + name) {
		h.selected = "" // it has just gone, or has another name
		return
	}
	h.learnByUID()
}

// working is a client that changes things in all mailboxes.
type working struct {
	*believer
	rng *rand.Rand
}

func (w *working) fresh() string {
	name := string(rune('A' + w.rng.IntN(4)))
	if w.rng.IntN(2) == 0 {
		name += "/" + string(rune('x'+w.rng.IntN(3)))
	}
	return name
}

// existing chooses a mailbox that somebody believes in.
func (w *working) existing(p picture) string {
	names := slices.Sorted(maps.Keys(p.mailboxes))
	return names[w.rng.IntN(len(names))]
}

// act does one thing to some mailbox, but does not delete the one that another client has
// selected, who would be told to go.
func (w *working) act(p picture, spare string) {
	w.t.Helper()
	name, other := w.existing(p), w.existing(p)
	switch k := w.rng.IntN(12); k {
	case 0:
		w.do("CREATE "+w.fresh(), false)
	case 1:
		if name != spare && name != "INBOX" {
			w.do("DELETE "+name, false)
		}
	case 2:
		w.do("RENAME "+name+" "+w.fresh(), false)
	case 3:
		w.do("SUBSCRIBE "+w.fresh(), false)
	case 4:
		w.do("UNSUBSCRIBE "+w.fresh(), false)
	case 5, 6, 7:
		w.do(fmt.Sprintf("APPEND %s (%s) {9+}\r\na: b\r\n\r\nx", name, storable[w.rng.IntN(3)]), false)
	default:
		w.exists, w.uids = 0, nil
		if !strings.HasPrefix(w.do("SELECT "+name, false), "OK") {
			return
		}
		if n := w.exists; n > 0 {
			w.do([]string{
				fmt.Sprintf("STORE %d +FLAGS.SILENT (\\Seen)", 1+w.rng.IntN(n)),
				fmt.Sprintf("STORE 1:%d -FLAGS.SILENT (\\Seen)", 1+w.rng.IntN(n)),
				fmt.Sprintf("COPY %d %s", 1+w.rng.IntN(n), other),
				fmt.Sprintf("MOVE %d %s", 1+w.rng.IntN(n), other),
				fmt.Sprintf("STORE %d +FLAGS.SILENT (\\Deleted)", 1+w.rng.IntN(n)),
			}[w.rng.IntN(5)], false)
			if w.rng.IntN(4) == 0 {
				w.do("EXPUNGE", false)
			}
		}
		w.do("UNSELECT", false)
	}
}

// TestHearersBelieveTheTruth lets clients change everything there is at random, and a client
// that only listens ends each time with exactly what there is, by what is pushed alone.
func TestHearersBelieveTheTruth(t *testing.T) {
	address, _ := serveMem(t)
	rng := rand.New(rand.NewPCG(9, 9))
	h := newHearer(t, address)
	prober := newBeliever(t, address)
	prober.do("UNSELECT", false)
	var workers []*working
	for range 2 {
		w := &working{newBeliever(t, address), rng}
		w.do("UNSELECT", false)
		workers = append(workers, w)
	}
	rounds := 2000
	if testing.Short() || raceDetector {
		rounds /= 10
	}
	for range rounds {
		for range 1 + rng.IntN(6) {
			if w := workers[rng.IntN(2)]; rng.IntN(4) > 0 {
				w.act(h.picture, h.selected)
			} else {
				h.act(rng, w)
			}
		}
		h.settle(prober)
	}
}
