package imap

import (
	"postfach/internal/mail"
	"postfach/internal/mailbox"
	"postfach/internal/wire"
)

// appending takes in the messages of one command (RFC 4466 3, append-message). It
// streams: a literal is read while the command is parsed, since what follows it can be
// read only afterwards.
type appending struct {
	name     string         // of the mailbox
	to       mail.MailboxID // 0 until it has been looked for
	freed    int64          // bytes that the command gives back to the quota
	messages []mailbox.Incoming
	uploads  []*mailbox.Upload // of all messages: their bytes are leased until release
	bytes    int64             // of all messages so far
	held     int64             // bytes of memory that they take

	size   int64 // of the message at hand so far
	binary bool  // it has come as a literal8
}

// appendHeldMax is how much memory the small messages of one command, and what is
// known about the others, can take until they are committed.
const appendHeldMax = 32 << 20

// begin begins the command. The session releases it at the end, whatever happens.
func (a *appending) begin(s *session, name string) {
	*a = appending{name: name}
	s.appending = a
}

// release ends the leases of the uploads.
func (a *appending) release() {
	for _, u := range a.uploads {
		u.Release()
	}
	*a = appending{}
}

// parseMessage reads a message and what it shall be given.
func (a *appending) parseMessage(s *session, p *wire.Parser) {
	var in mailbox.Incoming
	p.SP()
	if p.Peek() == '(' {
		in.System, in.Keywords, s.refused = flagNames(p.FlagList(nil, flagsPerCommandMax))
		p.SP()
	}
	date := s.server.env.Now()
	if p.Peek() == '"' {
		date = p.DateTime()
		p.SP()
	}
	in.Date = mail.StampOf(date)
	a.parseData(s, p)
	if p.Err() == nil && s.refused == nil {
		s.refused = a.complete(s, in)
	}
}

// parseData reads the message itself (RFC 4466 3, append-data).
func (a *appending) parseData(s *session, p *wire.Parser) {
	if len(p.PeekWord()) == 0 {
		a.parseLiteral(s, p)
		return
	}
	form := appendDataForm(p)
	if form == nil {
		p.Fail("literal, or a form of data that this server knows")
	}
	if p.Err() != nil || s.refused != nil {
		return
	}
	if s.refused = a.open(s, -1); s.refused == nil {
		form.parse(s, p, a)
	}
}

// appendDataTable finds a form by its name in capitals.
var appendDataTable = map[string]*appendData{}

var appendChecks []appendCheck

func init() {
	for _, f := range families {
		appendChecks = append(appendChecks, f.appendChecks...)
		for i := range f.appendData {
			appendDataTable[f.appendData[i].name] = &f.appendData[i]
		}
	}
}

// appendDataForm reads the name of a form, nil when there is none of this name.
func appendDataForm(p *wire.Parser) *appendData {
	var room [40]byte
	form := appendDataTable[string(appendUpper(room[:0], p.PeekWord()))]
	if form != nil {
		p.Word()
	}
	return form
}

func (a *appending) parseLiteral(s *session, p *wire.Parser) {
	lit := p.Literal()
	if p.Err() != nil || s.refused != nil {
		return
	}
	if lit.Size == 0 { // RFC 3502 6.3.11: so a client says that it has thought better of it
		s.refused = errEmptyMessage
		return
	}
	if s.refused = a.open(s, lit.Size); s.refused == nil {
		s.refused = a.take(s, lit)
	}
}

var errEmptyMessage = no("", "the message is empty")

// open begins a message of so many bytes, -1 when that is not known. What can't succeed
// is refused before the client is asked to send it.
func (a *appending) open(s *session, sizeHint int64) error {
	if len(a.messages) >= s.server.limits.AppendMessagesMax {
		return no("LIMIT", "too many messages in one command")
	}
	for _, b := range allBounds {
		if err := b.append(s, len(a.messages)+1); err != nil {
			return err
		}
	}
	if a.to == 0 {
		to, err := s.target(a.name)
		if err != nil {
			return err
		}
		a.to = to
	}
	a.uploads = append(a.uploads, s.account.Upload(s.ctx, sizeHint))
	a.size, a.binary = 0, false
	return nil
}

// upload is that of the message at hand.
func (a *appending) upload() *mailbox.Upload { return a.uploads[len(a.uploads)-1] }

// take streams a literal to the end of the message at hand.
func (a *appending) take(s *session, lit *wire.Literal) error {
	if err := a.makeRoom(s, lit.Size); err != nil {
		return err
	}
	if err := lit.Accept(); err != nil {
		return err
	}
	a.binary = a.binary || lit.Binary
	_, err := lit.WriteTo(a.upload())
	return err
}

// makeRoom refuses bytes for the message at hand that it can't have.
func (a *appending) makeRoom(s *session, n int64) error {
	a.size, a.bytes = max(a.size+n, n), max(a.bytes+n, n) // n may be anything
	if err := s.account.CheckRoom(a.size, a.bytes-a.freed); err != nil {
		return err
	}
	if len(a.messages) > 0 && a.bytes > s.server.limits.AppendBytesMax {
		return no("LIMIT", "too many bytes in one command")
	}
	return nil
}

// complete ends the message at hand.
func (a *appending) complete(s *session, in mailbox.Incoming) error {
	if a.size == 0 {
		return errEmptyMessage
	}
	done, err := a.finish(s)
	if err != nil {
		return err
	}
	for _, check := range appendChecks {
		if err := check(s, a, &done); err != nil {
			return err
		}
	}
	if a.held += int64(len(done.Inline) + len(done.Message.Structure)); a.held > appendHeldMax {
		return no("LIMIT", "too many messages in one command")
	}
	done.Date, done.System, done.Keywords = in.Date, in.System, in.Keywords
	a.messages = append(a.messages, done)
	return nil
}

// finish makes the bytes of the message at hand durable.
func (a *appending) finish(s *session) (mailbox.Incoming, error) {
	began := s.server.env.Now()
	defer func() { s.conn.excuse(s.server.env.Now().Sub(began)) }()
	return a.upload().Finish()
}
