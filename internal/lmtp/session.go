package lmtp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"

	"postfach/internal/delivery"
)

// session is one connection. One goroutine runs it.
type session struct {
	srv    *Server
	ctx    context.Context
	conn   *conn
	limits *Limits

	client   string // what it said in LHLO; empty before
	messages int    // that were delivered to anybody

	badInRow int
	commands int // since the last message
	over     error

	transaction
}

// transaction is a mail transaction (RFC 5321 3.3), from MAIL on.
type transaction struct {
	begun      bool
	from       string
	utf8       bool // SMTPUTF8 was asked for
	recipients []delivery.Recipient

	transfer delivery.Transfer // from the first bytes of the message on
	bytes    int64             // of the message so far
	tooBig   bool
	spoiled  bool // a chunk has failed: nothing but RSET helps (RFC 3030 2)
}

func newSession(ctx context.Context, srv *Server, nc net.Conn) *session {
	limits := &srv.o.Limits
	return &session{srv: srv, ctx: ctx, conn: newConn(nc, limits, srv.o.Env.Now), limits: limits}
}

// errQuit ends a session without being a failure.
var errQuit = errors.New("quit")

// serve runs the session until the client leaves or has to.
func (s *session) serve() error {
	s.reply(220, "", s.srv.o.Hostname+" LMTP Postfach")
	for s.over == nil {
		line, err := s.conn.line()
		switch {
		case errors.Is(err, errTooLong):
			s.bad(500, "5.5.6", "line too long")
		case errors.Is(err, errClosing):
			s.bye("the server is going down")
		case err != nil:
			return err
		default:
			s.command(line)
		}
		if s.commands++; s.commands > s.limits.CommandsPerMessageMax && s.over == nil {
			s.bye("too many commands")
		}
	}
	err := s.conn.flush()
	if s.over == errQuit {
		return err
	}
	return s.over
}

// command runs one command.
func (s *session) command(line []byte) {
	text, ok := cutLineEnd(line)
	if !ok {
		s.bad(500, "5.5.2", "a line ends with CR LF and has no control characters")
		return
	}
	verb, rest, _ := bytes.Cut(text, []byte(" "))
	argument := string(bytes.TrimRight(rest, " "))
	var room [8]byte // for the longest of them
	upper := room[:min(len(verb), len(room))]
	for i := range upper {
		if upper[i] = verb[i]; 'a' <= verb[i] && verb[i] <= 'z' {
			upper[i] -= 'a' - 'A'
		}
	}
	switch string(upper) {
	case "LHLO":
		s.lhlo(argument)
	case "MAIL":
		s.mail(argument)
	case "RCPT":
		s.rcpt(argument)
	case "DATA":
		s.data(argument)
	case "BDAT":
		s.bdat(argument)
	case "RSET":
		s.reset()
		s.good(250, "2.0.0", "reset")
	case "NOOP":
		s.good(250, "2.0.0", "nothing done")
	case "QUIT":
		s.good(221, "2.0.0", "goodbye")
		s.over = errQuit
	case "VRFY":
		s.good(252, "2.1.5", "try to send something") // RFC 5321 3.5.3
	case "HELP":
		s.good(214, "2.0.0", "LHLO MAIL RCPT DATA BDAT RSET NOOP VRFY QUIT")
	case "HELO", "EHLO":
		s.bad(500, "5.5.1", "this is LMTP: say LHLO") // RFC 2033 4.1
	default:
		s.bad(500, "5.5.1", "unknown command")
	}
}

func (s *session) lhlo(client string) {
	if client == "" {
		s.bad(501, "5.5.4", "expected LHLO domain")
		return
	}
	s.reset() // RFC 5321 4.1.4
	s.client = client
	s.badInRow = 0
	for _, keyword := range []string{s.srv.o.Hostname, "PIPELINING", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES", "CHUNKING"} {
		fmt.Fprintf(s.conn.w, "250-%s\r\n", keyword)
	}
	fmt.Fprintf(s.conn.w, "250 SIZE %d\r\n", s.srv.o.Delivery.SizeMax())
}

// reset ends the transaction, whatever its state.
func (s *session) reset() {
	s.discard()
	s.transaction = transaction{}
}

func (s *session) discard() {
	if s.transfer != nil {
		s.transfer.Discard()
	}
}
