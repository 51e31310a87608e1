package imap

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"postfach/internal/mail"
	"postfach/internal/mailbox"
	"postfach/internal/wire"
)

// session is one connection. One goroutine at a time runs it; nothing here is shared.
type session struct {
	server *Server
	ctx    context.Context
	conn   *conn
	tls    *tls.Conn    // nil: not encrypted
	pack   *compression // nil: not compressed
	remote netip.Addr
	id     uint64
	began  time.Time // zero: not yet
	gone   func()    // called at the end

	implicitTLS bool
	waiting     waiting

	r *wire.Reader
	w *wire.Writer

	state      states
	name       string           // of the account, after login
	account    *mailbox.Account // after login
	forget     func()           // stops listening to the account's end
	reader     mail.Reader      // of its messages; nil: none has been opened yet
	view       *mailbox.View    // while selected
	selectedAs string           // the mailbox's name as the client spells it
	needs      mail.Ticket      // what the output so far depends on

	tag          []byte
	command      *commandEntry
	ok           okAnswer
	refused      error      // why parse has refused the command, other than its syntax
	appending    *appending // messages that the command under way brings
	requests     []request
	ranges       []mail.Range // room for numbersOf
	byNumber     bool         // the command under way names messages by number, also in its UID form
	rev2         bool         // ENABLE IMAP4rev2
	qresync      bool         // ENABLE QRESYNC
	charsetKnown bool         // all that the client sends is UTF-8: no CHARSET may be given
	saved        mail.UIDSet  // "$"
	keywordsFull bool         // PERMANENTFLAGS was told without \*
	modSeqTold   bool         // MODSEQ of a message, since it was last said up to where all is told
	limitedAt    mail.UID     // the lowest UID that the command under way has come to; 0: it does all
	telling      telling      // how messages are told of
	changed      fetched      // room for tellChange
	idsCode      mailboxCode  // how the id of a mailbox is told
	listener     listener     // what the client wants to be told of; nil: the usual
	follower     follower     // of the selected mailbox; nil: there is none
	companions   []companion
	noNumbers    error // why message numbers can't be used; nil: they can

	badInRow     int
	loginsFailed int
	faults       uint64
	counted      bool // no longer counted as a stranger; guarded by the server's lock
	over         bool // LOGOUT, or BYE has been said
}

// okAnswer is the code and text of the tagged OK; handlers change them.
type okAnswer struct {
	code []byte // without brackets
	text string
}

func (a *okAnswer) reset() { a.code, a.text = a.code[:0], "" }

// errAnswered says that a command has written its tagged response itself.
var errAnswered = errors.New("answered")

// connError is an error of the connection that a handler met while it ran.
type connError struct{ err error }

func (e *connError) Error() string { return e.err.Error() }

// Unwrap returns the connection's own error.
func (e *connError) Unwrap() error { return e.err }

func isConnError(err error) bool {
	_, ok := err.(*connError)
	return ok
}

// line reads a line that belongs to the command under way.
func (s *session) line(max int) ([]byte, error) {
	line, err := s.r.Line(max)
	if err != nil && !wire.Recoverable(err) {
		err = &connError{err}
	}
	return line, err
}

// flush sends what waits, in the middle of a command.
func (s *session) flush() error {
	if err := s.w.Flush(); err != nil {
		return &connError{err}
	}
	return nil
}

// errOver ends a session that has said BYE.
var errOver = errors.New("session is over")

// serve runs the session to its end, or until it rests.
func (s *session) serve() error {
	for !s.over {
		if err := s.step(); err != nil {
			return err
		}
	}
	return s.w.Flush()
}

// step is the way of one command: framing, state, parsing, running, the news, the
// answer.
func (s *session) step() error {
	switch err := s.awaitCommand(); {
	case err == errRests:
		return err
	case isOver(err):
		return nil
	case err != nil:
		return s.lost(errors.Unwrap(err))
	}
	if r := s.waiting.hears; r != nil {
		s.waiting.hears = nil
		return s.conclude(r.heard(s))
	}
	req, err := s.receive()
	defer s.release()
	if err == nil {
		err = s.begin(req)
	}
	if err == nil {
		err = s.perform(req)
	}
	return s.conclude(err)
}

// conclude is what follows when a command has run.
func (s *session) conclude(err error) error {
	switch {
	case err == errWaits:
		// its answer comes later
	case err == nil:
		s.news()
		s.finish(nil)
	case isConnError(err):
		return s.lost(errors.Unwrap(err))
	case isOver(err):
		return nil
	case err != errAnswered:
		s.news()
		s.finish(err)
	}
	if err := s.broken(); err != nil {
		return err
	}
	if err := s.r.Finish(); err != nil {
		return s.lost(err)
	}
	return nil
}

// receive reads the next command. A request comes without an error only.
func (s *session) receive() (request, error) {
	err := s.r.Begin()
	if err != nil && !wire.Recoverable(err) {
		return nil, &connError{err}
	}
	req := s.read(err == nil)
	if err == nil {
		err = s.r.Parser().Err()
	}
	switch {
	case err == nil:
		err = s.refused
	case !wire.Recoverable(err):
		err = &connError{err}
	}
	return req, err
}

// read finds the command and parses its arguments. A command that is not known or
// not allowed now fails the parser, so that nothing of it is run.
func (s *session) read(wellFramed bool) request {
	p := s.r.Parser()
	s.tag = append(s.tag[:0], p.Tag()...)
	s.command = nil
	s.ok.reset()
	s.refused, s.limitedAt, s.byNumber = nil, 0, false
	if p.Err() != nil || !wellFramed {
		return nil
	}
	p.SP()
	entry := s.lookup(p)
	if entry == nil {
		return nil
	}
	s.command = entry
	s.server.metrics.Commands.Add(1)
	if entry.states&s.state == 0 {
		p.Fail("a command for this state; " + entry.name + " is none")
		return nil
	}
	req := s.request(entry)
	if entry.command.uid && !entry.uid {
		s.refused = s.noNumbers // before a literal is asked for
	}
	if s.refused != nil {
		return req
	}
	req.parse(s, p)
	if s.refused == nil {
		p.End()
	}
	return req
}

// lookup reads the command's name.
func (s *session) lookup(p *wire.Parser) *commandEntry {
	var room [40]byte
	name := appendUpper(room[:0], p.Word())
	if string(name) == "UID" {
		p.SP()
		name = append(name, ' ')
		name = appendUpper(name, p.Word())
	}
	entry := commandTable[string(name)]
	if entry == nil || s.server.without[entry.family.name] {
		p.Fail("a command that this server knows")
		return nil
	}
	return entry
}

func appendUpper(dst, word []byte) []byte {
	for _, c := range word[:min(len(word), 20)] {
		if 'a' <= c && c <= 'z' {
			c -= 'a' - 'A'
		}
		dst = append(dst, c)
	}
	return dst
}

// request returns the session's request for a command: the same one every time.
func (s *session) request(e *commandEntry) request {
	if s.requests == nil {
		s.requests = make([]request, len(commandTable))
	}
	if s.requests[e.number] == nil {
		s.requests[e.number] = e.new()
	}
	return s.requests[e.number]
}

// asker is a request that can't be answered without having asked the store what is new:
// it says what else the command does when that fails. Any other command that wants to
// see the news goes on, as IDLE does: they come later.
type asker interface{ unasked(s *session) }

// begin makes the session see what a command must see before it runs.
func (s *session) begin(req request) error {
	if s.account == nil {
		return nil
	}
	if err := s.account.Err(); err != nil {
		return s.ended(err)
	}
	if s.command.sync {
		if err := s.account.Sync(s.ctx); err != nil {
			if q, ok := req.(asker); ok {
				q.unasked(s)
				return err
			}
		}
	}
	if s.view != nil {
		s.tellArrivals()
	}
	return nil
}

// finish writes the tagged response and counts bad commands.
func (s *session) finish(err error) {
	if len(s.tag) == 0 {
		s.tag = append(s.tag, '*')
	}
	if err == nil {
		for _, f := range allEnds {
			f(s)
		}
		s.badInRow = 0
		text := s.ok.text
		if text == "" {
			text = "done"
		}
		s.w.Bytes(s.tag).Raw(" OK ")
		if len(s.ok.code) > 0 {
			s.w.Byte('[').Bytes(s.ok.code).Raw("] ")
		}
		s.w.Raw(text).CRLF()
		return
	}
	a := s.answer(err)
	s.tagged(a.status, a.code, a.text)
	if a.status != "BAD" {
		s.badInRow = 0
	} else if s.badInRow++; s.badInRow >= s.server.limits.BadCommandsMax {
		_ = s.bye("CLIENTBUG", "too many bad commands")
	}
}

// ended says BYE because the account can't go on.
func (s *session) ended(err error) error {
	text := "the mail store has to start again, connect again"
	var e *mail.Error
	if errors.As(err, &e) && e.Kind != mail.Unavailable && e.Text != "" {
		text = e.Text
	}
	return s.bye("UNAVAILABLE", text)
}

// bye says BYE and ends the session.
func (s *session) bye(code, text string) error {
	s.untagged("BYE", code, text)
	s.over = true
	return errOver
}

func isOver(err error) bool { return errors.Is(err, errOver) }

// release gives back what the command held.
func (s *session) release() {
	if s.appending != nil {
		s.appending.release()
		s.appending = nil
	}
}

// newOpener makes an opener of the account's messages. Its reader keeps its place from one
// command to the next: many clients fetch message by message.
func (s *session) newOpener() *mailbox.Opener {
	if s.reader == nil {
		s.reader = s.account.Reader(s.ctx)
	}
	return s.account.OpenerOn(s.reader)
}

// depend makes the next flush wait for a ticket. When no more commands have come, the next
// flush is when this one is answered, and the disk may be at work until then.
func (s *session) depend(t mail.Ticket) {
	if s.needs.Covers(t) {
		return
	}
	s.needs = t
	if s.awaited() {
		t.Begin()
	}
}

// awaited tells whether the client waits for the answer, as far as is known, and has not sent more
// commands.
func (s *session) awaited() bool { return s.r.Buffered() == 0 }

// durable waits until everything that the output says can no longer be lost. It
// runs before any byte leaves.
func (s *session) durable() error {
	if s.needs.Done() {
		return nil
	}
	began := s.server.env.Now()
	err := s.account.Await(s.ctx, s.needs)
	s.server.metrics.CommitWaits.Observe(s.server.env.Now().Sub(began))
	if err == nil {
		s.needs = mail.Ticket{}
	}
	return err
}

// broken ends a session whose output can't be sent: what it says may not be so. The
// client is told nothing of it but BYE.
func (s *session) broken() error {
	if s.w.Err() == nil {
		return nil
	}
	return s.lost(s.w.Err())
}

// lost ends the session after an error of the connection, of the framing or of the
// store.
func (s *session) lost(err error) error {
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, net.ErrClosed):
		s.over = true
		return io.EOF
	case !s.needs.Done() && s.w.Err() != nil || mail.Is(err, mail.Unavailable):
		// What is durable may still be said, the rest never.
		if !s.needs.Done() || s.w.Err() != nil {
			s.needs = mail.Ticket{}
			if s.w.Discard() != nil {
				break
			}
		}
		_ = s.bye("UNAVAILABLE", "the mail store has failed, connect again")
	case isTimeout(err) && s.account != nil && s.account.Err() != nil:
		_ = s.ended(s.account.Err())
	case isTimeout(err) && s.conn.isLeaving():
		_ = s.bye("UNAVAILABLE", "the server is going down")
	case isTimeout(err):
		_ = s.bye("", "you were silent for too long")
	case errors.Is(err, wire.ErrSkipTooBig):
		_ = s.bye("TOOBIG", "that literal is too big even to skip")
	case errors.Is(err, wire.ErrNotWaited):
		_ = s.bye("CLIENTBUG", "wait for the continuation before you send a literal")
	case errors.Is(err, wire.ErrInflate):
		_ = s.bye("CLIENTBUG", "what you sent can't be decompressed")
	default:
		return err
	}
	_ = s.w.Flush()
	return err
}

func isTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.As(err, &t) && t.Timeout()
}

func (s *session) log() *slog.Logger {
	return s.server.env.Log.With("session", s.id, "account", s.name)
}

// close gives everything back.
func (s *session) close() {
	s.unselect()
	s.listenTo(nil)
	for _, c := range s.companions {
		c.close()
	}
	s.companions = nil
	if s.account != nil {
		if s.forget != nil {
			s.forget()
		}
		if s.reader != nil {
			s.reader.Rest()
			s.reader = nil
		}
		s.account.Release()
		s.account = nil
	}
}

// unselect leaves the selected state, if the session is in it.
func (s *session) unselect() {
	if s.view == nil {
		return
	}
	s.view.Close()
	s.view, s.follower = nil, nil
	s.state = authenticated
}
