package bench

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"strings"
)

// tape keeps what a server has answered to commands, to answer it again without any work.
type tape struct {
	greeting string
	now      []byte
	answers  map[string][]byte // by key; without the tagged line
	bytes    int
}

// tapeBytesMax bounds what is kept; what is beyond is left out.
const tapeBytesMax = 1 << 30

func newTape() *tape { return &tape{answers: make(map[string][]byte)} }

func (t *tape) record(b []byte) {
	if t.bytes < tapeBytesMax {
		t.now = append(t.now, b...)
		t.bytes += len(b)
	}
}

// keep ends the answer to a command. line is its tagged line, which is recorded already.
func (t *tape) keep(command string, line []byte) {
	t.answers[tapeKey(command)] = t.now[:max(0, len(t.now)-len(line))]
	t.now = nil
}

// whole tells whether nothing was left out.
func (t *tape) whole() bool { return t.bytes < tapeBytesMax }

// tapeKey is the command without its numbers, since these differ from step to step.
func tapeKey(command string) string {
	var b strings.Builder
	for i := 0; i < len(command); i++ {
		if command[i] < '0' || command[i] > '9' {
			b.WriteByte(command[i])
		}
	}
	return strings.TrimSpace(b.String())
}

// player is a server that answers from a tape: IMAP on one port, LMTP on another. What it
// reaches bounds what any server can reach with this client on this machine.
type player struct {
	tape *tape
	long *shelf // answers that are in a file; nil: all are in memory
	disk Keeper // of what came before answers leave; nil: none does
	imap net.Listener
	lmtp net.Listener
}

// changeBytes are about what a change needs in a log besides the mail that comes with it.
const changeBytes = 150

func play(t *tape, long *shelf, disk Keeper) (*player, error) {
	imap, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	lmtp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		imap.Close()
		return nil, err
	}
	p := &player{t, long, disk, imap, lmtp}
	go accept(imap, p.serveIMAP)
	go accept(lmtp, p.serveLMTP)
	return p, nil
}

func (p *player) close() {
	p.imap.Close()
	p.lmtp.Close()
}

// accept ends when its listener is closed.
func accept(l net.Listener, serve func(net.Conn)) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			serve(c)
			c.Close()
		}()
	}
}

// serveIMAP keeps what came in literals, and answers.
func (p *player) serveIMAP(c net.Conn) {
	r := bufio.NewReaderSize(c, 64<<10)
	w := bufio.NewWriterSize(c, 64<<10)
	_, _ = w.WriteString(p.tape.greeting)
	var change bytes.Buffer
	var buf []byte
	if p.long != nil {
		buf = make([]byte, shelfBufBytes)
	}
	for {
		if r.Buffered() == 0 && (p.keep(&change) != nil || w.Flush() != nil) {
			return
		}
		line, err := r.ReadSlice('\n')
		if err != nil {
			return
		}
		tag, command, _ := strings.Cut(strings.TrimRight(string(line), "\r\n"), " ")
		change.Write(noted[:])
		for {
			n, more := literalSize(line)
			if !more {
				break
			}
			if _, err = io.CopyN(&change, r, int64(n)); err == nil {
				line, err = r.ReadSlice('\n')
			}
			if err != nil {
				return
			}
		}
		command, _, _ = strings.Cut(command, "{")
		if key := tapeKey(command); !p.long.play(w, key, buf) {
			_, _ = w.Write(p.tape.answers[key])
		}
		_, _ = w.WriteString(tag + " OK\r\n")
	}
}

// noted is the change that a command makes.
var noted [changeBytes]byte

// keep does what answers to commands that change something wait for.
func (p *player) keep(change *bytes.Buffer) error {
	defer change.Reset()
	if p.disk == nil || change.Len() == 0 {
		return nil
	}
	return p.disk.Keep(change.Bytes())
}

func (p *player) serveLMTP(c net.Conn) {
	r := bufio.NewReaderSize(c, 64<<10)
	w := bufio.NewWriter(c)
	_, _ = w.WriteString("220 replay\r\n")
	var change bytes.Buffer
	for {
		if r.Buffered() == 0 && w.Flush() != nil {
			return
		}
		line, err := r.ReadSlice('\n')
		if err != nil {
			return
		}
		if !bytes.HasPrefix(line, []byte("DATA")) {
			_, _ = w.WriteString("250 OK\r\n")
			continue
		}
		_, _ = w.WriteString("354 go\r\n")
		if w.Flush() != nil {
			return
		}
		change.Write(noted[:])
		for string(line) != ".\r\n" {
			if line, err = r.ReadSlice('\n'); err != nil {
				return
			}
			change.Write(line)
		}
		if p.keep(&change) != nil {
			return
		}
		_, _ = w.WriteString("250 OK\r\n")
	}
}
