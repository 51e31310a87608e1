package crash

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net"
	"regexp"
	"strings"

	"postfach/internal/mail"
)

// recorder is the server's side of a connection: every line that leaves is a fact
// before it leaves.
type recorder struct {
	net.Conn
	j    *journal
	line func(line string) // called with the journal's lock
	rest []byte
}

func (r *recorder) Write(b []byte) (int, error) {
	r.j.mu.Lock()
	r.rest = append(r.rest, b...)
	for {
		line, rest, found := bytes.Cut(r.rest, []byte("\r\n"))
		if !found {
			break
		}
		r.line(string(line))
		r.rest = append([]byte(nil), rest...)
	}
	r.j.mu.Unlock()
	return r.Conn.Write(b)
}

// worker is a session that changes its own messages, several commands at a time.
type worker struct {
	j       *journal
	rng     *rand.Rand
	name    string
	c       net.Conn // the client's side
	mailbox string   // selected
	mine    map[place]*instance
	pending map[string]func(answer string) // by tag; called with the journal's lock
	moved   string                         // the COPYUID that MOVE tells before its answer
	count   int
	answers chan struct{}
	closed  chan struct{}
}

// heard takes in a line that the server is about to send.
func (w *worker) heard(line string) {
	if strings.HasPrefix(line, "* OK [COPYUID ") {
		w.moved = line
		return
	}
	tag, answer, _ := strings.Cut(line, " ")
	if f := w.pending[tag]; f != nil {
		delete(w.pending, tag)
		f(answer)
		select {
		case w.answers <- struct{}{}:
		case <-w.closed:
		}
	}
}

func (w *worker) tag() string {
	w.count++
	return fmt.Sprint(w.name, "x", w.count)
}

// command adds a command to a burst; done is called with the journal's lock.
func (w *worker) command(b *bytes.Buffer, text string, done func(answer string)) {
	tag := w.tag()
	w.pending[tag] = done
	fmt.Fprintf(b, "%s %s\r\n", tag, text)
}

// burst sends several commands in one write and waits for their answers.
func (w *worker) burst(text []byte, n int) bool {
	go func() { _, _ = w.c.Write(text) }()
	for range n {
		select {
		case <-w.answers:
		case <-w.closed:
			return false
		}
	}
	return true
}

var code = regexp.MustCompile(`\[(?:APPENDUID|COPYUID) \d+ ([^\] ]+)(?: ([^\]]+))?\]`)

// round does a few random things at once.
func (w *worker) round() bool {
	var b bytes.Buffer
	n := 1 + w.rng.IntN(6)
	w.j.mu.Lock()
	for range n {
		w.one(&b)
	}
	w.j.mu.Unlock()
	return w.burst(b.Bytes(), n)
}

// one adds one random command. It needs the journal's lock.
func (w *worker) one(b *bytes.Buffer) {
	p, in := w.pick()
	switch k := w.rng.IntN(10); {
	case in == nil || k < 3:
		w.append(b)
	case k < 6:
		c := condition{true, mail.Flags(w.rng.IntN(32)) & (mail.Seen | mail.Answered | mail.Flagged | mail.Draft)}
		n := in.ask(c)
		w.command(b, fmt.Sprintf("UID STORE %d FLAGS.SILENT %s", p.uid, flagList(c.flags)), func(string) { w.j.acknowledge(in, n) })
	case k < 8:
		w.copy(b, p, in, false)
	case k < 9:
		w.copy(b, p, in, true)
	default:
		marked := condition{true, in.now().flags | mail.Deleted}
		in.ask(marked)
		n := in.ask(condition{})
		delete(w.mine, p)
		fmt.Fprintf(b, "%s UID STORE %d +FLAGS.SILENT (\\Deleted)\r\n", w.tag(), p.uid)
		w.command(b, fmt.Sprint("UID EXPUNGE ", p.uid), func(string) { w.j.acknowledge(in, n) })
	}
}

// pick chooses one of the worker's messages in the selected mailbox.
func (w *worker) pick() (place, *instance) {
	for p, in := range w.mine {
		if p.mailbox == w.mailbox && in.now().there {
			return p, in
		}
	}
	return place{}, nil
}

var mailboxes = []string{"INBOX", "Archive", "Trash"}

func (w *worker) append(b *bytes.Buffer) {
	id := w.tag()
	body := message(id, w.rng)
	to := mailboxes[w.rng.IntN(len(mailboxes))]
	w.j.arriving[id]++
	w.command(b, fmt.Sprintf("APPEND %s (\\Flagged) {%d+}\r\n%s", to, len(body), body), func(answer string) {
		w.j.arriving[id]--
		if m := code.FindStringSubmatch(answer); m != nil {
			p := place{to, parseUIDs(m[1])[0]}
			w.mine[p] = w.j.arrived(p, id, mail.Flagged)
		} else {
			w.j.fail("APPEND was answered by %q", answer)
		}
	})
}

func (w *worker) copy(b *bytes.Buffer, p place, in *instance, move bool) {
	to := mailboxes[w.rng.IntN(len(mailboxes))]
	flags := in.now().flags
	w.j.arriving[in.id]++
	verb, n := "COPY", 0
	if move {
		verb = "MOVE"
		n = in.ask(condition{})
		delete(w.mine, p)
	}
	w.command(b, fmt.Sprintf("UID %s %d %s", verb, p.uid, to), func(answer string) {
		w.j.arriving[in.id]--
		if move {
			answer = w.moved
			w.j.acknowledge(in, n)
		}
		if m := code.FindStringSubmatch(answer); m != nil {
			at := place{to, parseUIDs(m[2])[0]}
			w.mine[at] = w.j.arrived(at, in.id, flags)
		} else {
			w.j.fail("%s was answered by %q", verb, answer)
		}
	})
}

// message makes a message whose bytes follow from its id; a few are large enough for
// a segment.
func message(id string, rng *rand.Rand) string {
	size := rng.IntN(2000)
	if rng.IntN(6) == 0 {
		size = 40_000 + rng.IntN(60_000)
	}
	return fmt.Sprintf("X-Id: %s %d\r\n\r\n", id, size) + pattern(id, size)
}

func pattern(id string, size int) string {
	line := id + strings.Repeat("-", 60-len(id)) + "\r\n"
	return strings.Repeat(line, size/len(line)+1)[:size]
}

// watcher is a session that only looks.
type watcher struct {
	j       *journal
	mailbox string
	count   int
	answers chan struct{}
	closed  chan struct{}
	c       net.Conn
}

var fetched = regexp.MustCompile(`^\* \d+ FETCH \((?:UID (\d+) )?FLAGS \(([^)]*)\)(?: UID (\d+))?\)$`)

func (w *watcher) heard(line string) {
	if m := fetched.FindStringSubmatch(line); m != nil {
		w.j.watched(place{w.mailbox, parseUIDs(m[1] + m[3])[0]}, parseFlags(m[2]))
	} else if strings.HasPrefix(line, "w") {
		select {
		case w.answers <- struct{}{}:
		case <-w.closed:
		}
	}
}

func (w *watcher) round() bool {
	w.count++
	go fmt.Fprintf(w.c, "w%d UID FETCH 1:* (FLAGS)\r\n", w.count)
	select {
	case <-w.answers:
		return true
	case <-w.closed:
		return false
	}
}
