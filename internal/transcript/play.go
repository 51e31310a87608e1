package transcript

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"time"
)

// World is what a script is played in.
type World struct {
	// Start starts the server, with the settings that the header has by "set".
	Start func(settings map[string]string) error
	// User makes an account.
	User func(name, password string) error
	// Dial makes a connection that comes from an address, or from where it likes if
	// that is empty.
	Dial func(from string) (net.Conn, error)
	// Compress lets the connections that are logged in say COMPRESS first (RFC 4978).
	Compress bool
	// Quiet returns when nobody does anything any more: synctest.Wait. nil: time is
	// real, and the script is played by waiting for what it expects.
	Quiet func()
}

// halfTime is how long the other side is given to read half a command in real time.
const halfTime = 200 * time.Millisecond

// patience is how long an expected line may take in real time.
const patience = 10 * time.Second

// ErrFakeClock says that a script needs a clock that can be moved.
var ErrFakeClock = errors.New("the script waits, and time is real")

// Play plays a script and returns the first thing that is not as it says.
func (s *Script) Play(w World) error {
	p := &play{script: s, world: w}
	return p.run()
}

// Rewrite plays a script and returns its text with all that was said for what it
// expected. Lines that match stay as they are. The error is that of a script that
// could not be played to its end.
func (s *Script) Rewrite(w World) (string, error) {
	p := &play{script: s, world: w, rewriting: true}
	err := p.run()
	return p.text(), err
}

// play is a script while it is played.
type play struct {
	script    *Script
	world     World
	rewriting bool
	head      head
	peers     map[int]*peer
	values    bindings
	written   [][]string // by stage: the lines that replace the expected ones; nil: none
}

func (p *play) run() error {
	p.peers, p.values = map[int]*peer{}, bindings{}
	defer p.close()
	if err := p.setUp(); err != nil {
		return err
	}
	for i := range p.script.stages {
		st := &p.script.stages[i]
		err := p.stage(st)
		if err != nil {
			return fmt.Errorf("%s:%d: %w", p.script.name, st.at, err)
		}
	}
	if p.world.Quiet == nil {
		return p.fences()
	}
	return nil
}

func (p *play) close() {
	for _, n := range sorted(p.peers) {
		p.peers[n].close()
	}
	p.quiet()
}

func (p *play) quiet() {
	if p.world.Quiet != nil {
		p.world.Quiet()
	}
}

// stage does what happens and compares what is said.
func (p *play) stage(st *stage) error {
	for _, n := range sorted(peersOf(st)) {
		if err := p.open(n); err != nil {
			return err
		}
	}
	if err := p.happen(st); err != nil {
		return err
	}
	if p.world.Quiet == nil {
		return p.await(st)
	}
	p.world.Quiet()
	got := map[int][]line{}
	for n, peer := range p.peers {
		got[n] = peer.take()
	}
	err := p.compare(st, got)
	if p.rewriting {
		p.written = append(p.written, p.rewrite(st, got, err))
		return nil
	}
	return err
}

// happen does what a stage does.
func (p *play) happen(st *stage) error {
	peer := p.peers[st.peer]
	switch st.verb {
	case "send":
		return p.send(peer, st.send)
	case "wait":
		d, err := time.ParseDuration(st.rest)
		if err != nil {
			return err
		}
		if p.world.Quiet == nil {
			return ErrFakeClock
		}
		time.Sleep(d)
	case "check":
		return p.values.check(st.rest)
	case "tls":
		return peer.startTLS()
	case "deflate":
		return peer.startDeflate(st.rest == "partial")
	case "plain":
		return peer.endDeflate()
	case "close":
		peer.close()
		peer.told = true
	case "stall":
		peer.pause()
	case "read":
		peer.start()
	case "drain":
		peer.start()
		p.quiet()
		peer.drain()
	}
	return nil
}

func (p *play) send(peer *peer, lines []line) error {
	var b strings.Builder
	for _, l := range lines {
		text, err := p.values.fill(l.text)
		if err != nil {
			return err
		}
		b.WriteString(line{l.literal, text}.bytesOf())
	}
	peer.send(b.String())
	if p.world.Quiet == nil && !strings.HasSuffix(b.String(), "\n") {
		time.Sleep(halfTime) // nothing answers half a command
	}
	return nil
}

// compare compares what each connection was told with what it should have been.
func (p *play) compare(st *stage, got map[int][]line) error {
	want := map[int][]said{}
	for _, e := range st.expect {
		want[e.peer] = append(want[e.peer], e)
	}
	for _, n := range sorted(p.peers) {
		for i := range max(len(want[n]), len(got[n])) {
			switch {
			case i >= len(got[n]):
				return fmt.Errorf("line %d: expected, and nothing was said\n  S%d%s %s", want[n][i].at, n, want[n][i].mark(), want[n][i].text)
			case i >= len(want[n]):
				return fmt.Errorf("also said\n%s", show(n, got[n][i:]))
			case !p.values.matches(want[n][i].line, got[n][i]):
				return fmt.Errorf("line %d: expected\n  S%d%s %s\nwas said\n%s", want[n][i].at, n,
					want[n][i].mark(), want[n][i].text, show(n, got[n][i:]))
			}
		}
	}
	return nil
}

// show writes lines as a script has them, not too many.
func show(n int, lines []line) string {
	var b strings.Builder
	for i, l := range lines {
		if i == 20 {
			b.WriteString("  ...\n")
			break
		}
		fmt.Fprintf(&b, "  S%d%s %s\n", n, l.mark(), l.text)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// await waits for what a stage expects, in real time.
func (p *play) await(st *stage) error {
	for _, e := range st.expect {
		got, ok := p.peers[e.peer].next(patience)
		switch {
		case !ok:
			return fmt.Errorf("line %d: expected, and nothing was said\n  S%d%s %s", e.at, e.peer, e.mark(), e.text)
		case !p.values.matches(e.line, got):
			return fmt.Errorf("line %d: expected\n  S%d%s %s\nwas said\n%s", e.at, e.peer, e.mark(), e.text, show(e.peer, []line{got}))
		}
	}
	return nil
}

// fences shows, in real time, that nothing was left over: a NOOP is answered by
// itself. News that others have caused may come with it.
func (p *play) fences() error {
	for _, n := range sorted(p.peers) {
		peer := p.peers[n]
		if peer.told || p.script.endsOpen(n) {
			continue
		}
		peer.send("fence NOOP\r\n")
		for {
			got, ok := peer.next(patience)
			if !ok {
				return fmt.Errorf("%s: connection %d does not answer a NOOP at the end", p.script.name, n)
			}
			if strings.HasPrefix(got.text, "fence OK") {
				break
			}
			if !isNews.MatchString(got.text) {
				return fmt.Errorf("%s: at the end also said\n%s", p.script.name, show(n, []line{got}))
			}
		}
	}
	return nil
}
