package imap

import (
	"io"
	"time"

	"postfach/internal/wire"
)

// extCompress compresses both directions of a connection (RFC 4978).
var extCompress = family{
	name: "COMPRESS",
	rfc:  "RFC 4978",
	doc:  "Compresses all that is sent from then on, in both directions.",
	capabilities: []capability{
		{word: "COMPRESS=DEFLATE", when: loggedIn},
	},
	commands: []command{
		{name: "COMPRESS", states: afterLogin, new: func() request { return new(compressRequest) }},
	},
	loggedOut: []func(*session) error{(*session).endCompression},
	codes:     []string{"COMPRESSIONACTIVE", "CLIENTBUG"},
}

type compressRequest struct{ deflate bool }

func (q *compressRequest) parse(s *session, p *wire.Parser) {
	p.SP()
	if q.deflate = wire.Is(p.Atom(), "DEFLATE"); !q.deflate {
		p.Fail("DEFLATE")
	}
}

func (q *compressRequest) run(s *session) error {
	switch {
	case s.pack != nil && s.pack.out != nil: // BAD is RFC 4978 3's; its NO is for other layers, which we have none of
		return &refusal{"BAD", "COMPRESSIONACTIVE", "DEFLATE is active already"}
	case s.r.Buffered() > 0:
		// RFC 4978 3: the client must wait. Nobody can tell what it takes this for.
		return &refusal{"BAD", "CLIENTBUG", "wait for the answer to COMPRESS before you send more"}
	}
	s.w.Bytes(s.tag).Raw(" OK compression begins\r\n")
	if err := s.flush(); err != nil { // RFC 4978 3: not yet compressed
		return err
	}
	s.compress()
	return errAnswered
}

// compress puts compression above TLS, if there is TLS (RFC 4978 3).
func (s *session) compress() {
	if s.pack == nil {
		s.pack = &compression{conn: s.conn, in: wire.NewInflater(s.transport()), credit: bombBytes}
		s.conn.packed = true
		s.r.Reset(s.pack)
	}
	s.pack.in.Start()
	s.pack.out = wire.NewDeflater(s.transport())
	s.w.Reset(s.pack.out)
}

func (s *session) transport() io.ReadWriter {
	if s.tls != nil {
		return s.tls
	}
	return s.conn
}

// endCompression ends the streams of both directions: the server's behind the OK that it
// has sent, the client's behind its command (RFC 8437 4.1).
func (s *session) endCompression() error {
	if s.pack == nil || s.pack.out == nil {
		return nil
	}
	if s.r.Buffered() > 0 {
		return s.bye("CLIENTBUG", "what follows UNAUTHENTICATE must not be compressed")
	}
	if err := s.pack.out.Close(); err != nil {
		return &connError{err}
	}
	s.pack.in.Stop()
	s.pack.out = nil
	s.w.Reset(s.transport())
	return nil
}

// compression is what a connection is read through since it was first compressed. It stays
// when compression ends: it may hold the text that follows.
type compression struct {
	conn     *conn
	in       *wire.Inflater
	out      *wire.Deflater // nil: not now
	received int64          // of in.Received, what has earned credit
	credit   int64          // bytes that may come out at once
}

const (
	honestRatio        = 64       // what is compressed no better than this is never held up
	bombBytes          = 64 << 20 // neither is so much of what is; a message may be all zeros
	bombBytesPerSecond = 1 << 20  // the rest of it
)

// Read reads what was compressed. Only text begins a command: the end of a flush, which
// may come long after all that it ends, is none.
func (c *compression) Read(b []byte) (int, error) {
	n, err := c.in.Read(b)
	if n > 0 {
		c.conn.begin()
		c.pace(int64(n))
	}
	return n, err
}

// pace slows down a client whose bytes become a thousand times as many, so that they are
// no cheaper to send than others.
func (c *compression) pace(n int64) {
	c.credit += honestRatio*(c.in.Received-c.received) - n
	c.received = c.in.Received
	if c.credit < 0 {
		time.Sleep(time.Duration(-c.credit) * time.Second / bombBytesPerSecond)
	}
	c.credit = max(0, min(c.credit, bombBytes))
}
