package imap

import (
	"bufio"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var resyncSteps = flag.Int("resync.steps", 100_000, "random steps of TestClientsResynchronise")

// traveller is a client that comes and goes, and keeps what it knows of INBOX meanwhile:
// which messages there are and their flags. Each kind brings itself up to date in its own
// way, and never asks for anything that it should know.
type traveller struct {
	t    *testing.T
	addr string
	kind string
	rng  *rand.Rand

	conn     net.Conn // nil: away
	r        *bufio.Reader
	tag      int
	command  string
	trace    []string // the last lines
	idling   bool
	learning bool // a FETCH of what is new is under way
	enabling bool // SELECT is under way: EXISTS counts what is not there yet

	validity string
	modSeq   uint64   // the client's copy of HIGHESTMODSEQ (RFC 7162 6)
	heard    uint64   // highest MODSEQ item since the last tagged response
	told     uint64   // HIGHESTMODSEQ since then
	uids     []uint32 // by number; 0: not known yet
	exists   int
	flags    map[uint32]string
}

var (
	existsLine   = regexp.MustCompile(`^\* (\d+) EXISTS$`)
	expungeLine  = regexp.MustCompile(`^\* (\d+) EXPUNGE$`)
	vanishedLine = regexp.MustCompile(`^\* VANISHED (\(EARLIER\) )?([0-9:,]+)$`)
	messageLine  = regexp.MustCompile(`^\* (\d+) (UID)?FETCH \((.*)\)$`)
	modSeqItem   = regexp.MustCompile(`MODSEQ \((\d+)\)`)
	highestCode  = regexp.MustCompile(`OK \[HIGHESTMODSEQ (\d+)\]`)
	validityCode = regexp.MustCompile(`OK \[UIDVALIDITY (\d+)\]`)
	setRange     = regexp.MustCompile(`(\d+)(?::(\d+))?`)
)

func number(s string) uint64 {
	n, _ := strconv.ParseUint(s, 10, 64)
	return n
}

func (c *traveller) fail(format string, args ...any) {
	c.t.Helper()
	c.t.Fatalf("%s client, %s: %s, after\n%s", c.kind, c.command, fmt.Sprintf(format, args...), strings.Join(c.trace, "\n"))
}

func (c *traveller) send(command string) (tag string) {
	c.tag++
	c.command = command
	c.note("C: " + command)
	tag = c.kind[:1] + strconv.Itoa(c.tag) + " "
	if _, err := fmt.Fprintf(c.conn, "%s%s\r\n", tag, command); err != nil {
		c.fail("%v", err)
	}
	return tag
}

func (c *traveller) do(format string, args ...any) {
	c.t.Helper()
	c.until(c.send(fmt.Sprintf(format, args...)))
}

// until takes in all that is said up to a line, and after a tagged one notes up to where
// all is known (RFC 7162 6).
func (c *traveller) until(prefix string) {
	c.t.Helper()
	for {
		line, err := c.r.ReadString('\n')
		if err != nil {
			c.fail("%v", err)
		}
		line = strings.TrimSuffix(line, "\r\n")
		c.hear(line)
		answer, ok := strings.CutPrefix(line, prefix)
		if !ok {
			continue
		}
		if strings.HasPrefix(answer, "BAD") || strings.HasPrefix(answer, "NO") && !strings.Contains(answer, "EXPUNGEISSUED") {
			c.fail("%s", line)
		}
		if prefix != "+ " {
			c.settle()
		}
		return
	}
}

func (c *traveller) settle() {
	switch {
	case c.told > 0:
		c.modSeq = c.told
	case c.heard > c.modSeq:
		c.modSeq = c.heard
	}
	c.told, c.heard = 0, 0
}

func (c *traveller) note(line string) {
	c.trace = append(c.trace[max(0, len(c.trace)-30):], line)
}

func (c *traveller) hear(line string) {
	c.t.Helper()
	c.note("S: " + line)
	if m := highestCode.FindStringSubmatch(line); m != nil {
		c.told = number(m[1])
	}
	if m := validityCode.FindStringSubmatch(line); m != nil {
		c.validity = m[1]
	}
	switch {
	case existsLine.MatchString(line):
		c.count(int(number(existsLine.FindStringSubmatch(line)[1])))
	case expungeLine.MatchString(line):
		c.expunged(int(number(expungeLine.FindStringSubmatch(line)[1])))
	case vanishedLine.MatchString(line):
		m := vanishedLine.FindStringSubmatch(line)
		c.vanished(m[2], m[1] != "")
	case messageLine.MatchString(line):
		m := messageLine.FindStringSubmatch(line)
		c.message(int(number(m[1])), m[2] != "", m[3])
	}
}

func (c *traveller) count(n int) {
	c.exists = n
	for !c.enabling && len(c.uids) < n {
		c.uids = append(c.uids, 0)
	}
}

func (c *traveller) expunged(n int) {
	c.t.Helper()
	if c.kind == "QRESYNC" || c.kind == "UIDONLY" || n < 1 || n > len(c.uids) {
		c.fail("EXPUNGE %d of %d", n, len(c.uids))
	}
	delete(c.flags, c.uids[n-1])
	c.uids = slices.Delete(c.uids, n-1, n)
	c.exists--
}

func (c *traveller) vanished(set string, earlier bool) {
	c.t.Helper()
	for _, m := range setRange.FindAllStringSubmatch(set, -1) {
		first, last := number(m[1]), number(m[1])
		if m[2] != "" {
			last = number(m[2])
		}
		for u := uint32(first); uint64(u) <= last; u++ {
			i := slices.Index(c.uids, u)
			switch {
			case i >= 0:
				c.uids = slices.Delete(c.uids, i, i+1)
				delete(c.flags, u)
			case !earlier:
				c.vanishedUnknown(u)
			}
			if !earlier {
				c.exists--
			}
		}
	}
}

// vanishedUnknown: one of the messages that have not been fetched yet is gone. It lies before
// the first whose UID is known to be higher.
func (c *traveller) vanishedUnknown(u uint32) {
	c.t.Helper()
	i := slices.IndexFunc(c.uids, func(known uint32) bool { return known > u })
	if i < 0 {
		i = len(c.uids)
	}
	if i == 0 || c.uids[i-1] != 0 {
		c.fail("VANISHED %d, which the client does not count", u)
	}
	c.uids = slices.Delete(c.uids, i-1, i)
}

func (c *traveller) message(n int, byUID bool, items string) {
	c.t.Helper()
	if m := modSeqItem.FindStringSubmatch(items); m != nil {
		c.heard = max(c.heard, number(m[1]))
	}
	uid := uint32(n)
	if m := uidItem.FindStringSubmatch(items); m != nil {
		uid = uint32(number(m[1]))
	} else if !byUID && n <= len(c.uids) {
		uid = c.uids[n-1]
	}
	if !byUID && !c.enabling {
		if n < 1 || n > len(c.uids) || c.uids[n-1] != 0 && c.uids[n-1] != uid {
			c.fail("FETCH %d is UID %d, the client counts %v", n, uid, c.uids)
		}
		c.uids[n-1] = uid
	}
	if byUID && !slices.Contains(c.uids, uid) {
		i := slices.Index(c.uids, 0)
		if !c.learning || i < 0 {
			return // which of the unknown ones it is will be asked
		}
		c.uids[i] = uid
	}
	if m := flagsItem.FindStringSubmatch(items); m != nil && uid != 0 {
		c.flags[uid] = sortedFlags(m[1])
	}
}

// connect comes back and catches up.
func (c *traveller) connect() {
	c.t.Helper()
	var err error
	if c.conn, err = net.Dial("tcp", c.addr); err != nil {
		c.t.Fatal(err)
	}
	c.r = bufio.NewReader(c.conn)
	c.until("* OK")
	c.do("LOGIN anna secret")
	c.uids = slices.DeleteFunc(c.uids, func(u uint32) bool { return u == 0 })
	switch c.kind {
	case "QRESYNC":
		c.resync()
	case "UIDONLY":
		c.do("ENABLE UIDONLY QRESYNC")
		c.selectQuick("")
	case "CONDSTORE":
		c.compare()
	default:
		c.uids, c.flags = nil, map[uint32]string{}
		c.do("SELECT INBOX")
		if c.exists > 0 {
			c.do("FETCH 1:* (UID FLAGS)")
		}
		if c.kind == "NOTIFY" {
			c.do("NOTIFY SET (SELECTED (MessageNew (UID FLAGS) MessageExpunge FlagChange))")
		}
	}
	c.learn()
}

// resync tells what the client knows: sometimes which UIDs, sometimes which numbers too.
func (c *traveller) resync() {
	c.do("ENABLE QRESYNC")
	known := ""
	if len(c.uids) > 0 && c.rng.IntN(2) == 0 {
		known = fmt.Sprintf(" 1:%d", c.uids[len(c.uids)-1])
	}
	if len(c.uids) > 2 && c.rng.IntN(2) == 0 {
		a, b := 1+c.rng.IntN(len(c.uids)/2), len(c.uids)
		known += fmt.Sprintf(" (%d,%d %d,%d)", a, b, c.uids[a-1], c.uids[b-1])
	}
	c.selectQuick(known)
}

func (c *traveller) selectQuick(known string) {
	c.enabling = true
	if c.validity == "" {
		c.do("SELECT INBOX (CONDSTORE)")
	} else {
		c.do("SELECT INBOX (QRESYNC (%s %d%s))", c.validity, max(c.modSeq, 1), known)
	}
	c.enabling = false
	c.count(c.exists)
}

// compare is what a client does that knows CONDSTORE only: which of its messages are left, and
// what has changed about them.
func (c *traveller) compare() {
	c.enabling = true
	since := c.modSeq
	c.do("SELECT INBOX (CONDSTORE)")
	if len(c.uids) > 0 {
		last := c.uids[len(c.uids)-1]
		c.do("UID FETCH 1:%d (FLAGS) (CHANGEDSINCE %d)", last, since)
		c.command = "UID SEARCH"
		left := c.search(fmt.Sprintf("UID SEARCH UID 1:%d", last))
		c.uids = slices.DeleteFunc(c.uids, func(u uint32) bool { return !left[u] })
		maps.DeleteFunc(c.flags, func(u uint32, _ string) bool { return !left[u] })
	}
	c.enabling = false
	c.count(c.exists)
}

func (c *traveller) search(command string) map[uint32]bool {
	tag := c.send(command)
	found := map[uint32]bool{}
	for {
		line, err := c.r.ReadString('\n')
		if err != nil {
			c.fail("%v", err)
		}
		if list, ok := strings.CutPrefix(line, "* SEARCH"); ok {
			for _, u := range strings.Fields(list) {
				found[uint32(number(u))] = true
			}
		}
		c.hear(strings.TrimSuffix(line, "\r\n"))
		if strings.HasPrefix(line, tag) {
			return found
		}
	}
}

// learn asks for new messages.
func (c *traveller) learn() {
	c.t.Helper()
	i := slices.Index(c.uids, 0)
	if i < 0 {
		return
	}
	from := uint32(1)
	if i > 0 {
		from = c.uids[i-1] + 1
	}
	c.learning = true
	c.do("UID FETCH %d:* (UID FLAGS)", from)
	c.learning = false
	if i := slices.Index(c.uids, 0); i >= 0 {
		c.fail("message %d of %d was not fetched", i+1, len(c.uids))
	}
}

// leave breaks the connection, sometimes with a command under way.
func (c *traveller) leave() {
	if c.rng.IntN(3) == 0 {
		c.send("NOOP")
	}
	c.conn.Close()
	c.conn, c.idling, c.told, c.heard = nil, false, 0, 0
}

func (c *traveller) done() {
	c.t.Helper()
	if c.idling {
		fmt.Fprint(c.conn, "DONE\r\n")
		c.until(c.kind[:1] + strconv.Itoa(c.tag) + " ")
		c.idling = false
		c.learn()
	}
}

func (c *traveller) step() {
	c.t.Helper()
	switch {
	case c.conn == nil:
		if c.rng.IntN(8) == 0 {
			c.connect()
		}
		return
	case c.rng.IntN(60) == 0:
		c.leave()
		return
	case c.idling:
		if c.rng.IntN(3) == 0 {
			c.done()
		}
		return
	}
	c.work()
	if !c.idling {
		c.learn()
	}
}

func (c *traveller) work() {
	c.t.Helper()
	f := storable[c.rng.IntN(len(storable))]
	var u uint32
	if len(c.uids) > 0 {
		u = c.uids[c.rng.IntN(len(c.uids))]
	}
	switch k := c.rng.IntN(100); {
	case k < 12 && len(c.uids) < 60:
		c.do("APPEND INBOX (%s) {9+}\r\na: b\r\n\r\nx", f)
	case u == 0 || k < 20:
		c.do("NOOP")
	case k < 28:
		c.do(`UID STORE %d +FLAGS (\Deleted)`, u)
		c.do("UID EXPUNGE %d", u)
	case k < 31:
		c.do(`UID STORE %d +FLAGS (\Deleted)`, u)
		c.do("EXPUNGE")
	case k < 35:
		c.do("UID MOVE %d INBOX", u)
	case k < 60:
		c.do("UID STORE %d %sFLAGS (%s)", u, []string{"+", "-", ""}[c.rng.IntN(3)], f)
	case k < 70 && c.countsSafely():
		c.do("STORE %d:%d %sFLAGS (%s)", 1+c.rng.IntN(len(c.uids)), 1+c.rng.IntN(len(c.uids)), []string{"+", "-"}[c.rng.IntN(2)], f)
	case k < 78 && c.countsSafely():
		c.do("FETCH 1 (FLAGS)")
	case k < 85:
		c.idling = true
		c.send("IDLE")
		c.until("+ ")
	default:
		c.do("UID FETCH %d (FLAGS)", u)
	}
}

// countsSafely tells whether the client may name messages by number: not where there are none,
// and not where an expunge may be told at any moment.
func (c *traveller) countsSafely() bool { return c.kind != "UIDONLY" && c.kind != "NOTIFY" }

// TestClientsResynchronise lets clients of every kind work on one mailbox at random, lose
// their connections at any moment, and come back; whenever all have caught up, each knows
// exactly what there is.
func TestClientsResynchronise(t *testing.T) {
	address, _ := serveMem(t)
	rng := rand.New(rand.NewPCG(5, 8))
	var clients []*traveller
	for i, kind := range []string{"QRESYNC", "CONDSTORE", "UIDONLY", "plain", "NOTIFY", "QRESYNC"} {
		clients = append(clients, &traveller{
			t: t, addr: address, kind: kind, rng: rand.New(rand.NewPCG(9, uint64(i))), flags: map[uint32]string{},
		})
	}
	steps := *resyncSteps
	if testing.Short() || raceDetector {
		steps /= 20
	}
	for n := range steps {
		clients[rng.IntN(len(clients))].step()
		if n%200 == 199 {
			agree(clients)
		}
	}
}

// agree lets all catch up and compares them with one that has just come.
func agree(clients []*traveller) {
	for _, c := range clients {
		if c.conn == nil {
			c.connect()
		}
		c.done()
	}
	first := clients[0]
	truth := &traveller{t: first.t, addr: first.addr, kind: "truth", rng: first.rng, flags: map[uint32]string{}}
	truth.connect()
	for _, c := range clients {
		c.do("NOOP")
		c.learn()
		if !slices.Equal(c.uids, truth.uids) {
			c.fail("it counts %v, there are %v", c.uids, truth.uids)
		}
		if !maps.Equal(c.flags, truth.flags) {
			c.fail("it believes the flags %v, they are %v", c.flags, truth.flags)
		}
	}
	truth.conn.Close()
}
