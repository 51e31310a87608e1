package imap

import (
	"strconv"

	"postfach/internal/mail"
	"postfach/internal/mailbox"
	"postfach/internal/wire"
)

// extMetadata keeps named values with mailboxes and with the account (RFC 5464).
var extMetadata = family{
	name: "METADATA",
	rfc:  "RFC 5464",
	doc:  "Annotations of mailboxes and of the server: comments, and what programs want to remember.",
	capabilities: []capability{
		{word: "METADATA", when: loggedIn},
	},
	commands: []command{
		{name: "GETMETADATA", states: afterLogin, sync: true, new: func() request { return new(getMetadataRequest) }},
		{name: "SETMETADATA", states: afterLogin, sync: true, new: func() request { return new(setMetadataRequest) }},
	},
	enables: []enable{{"METADATA", tellMetadata}},
	codes:   []string{"CANNOT", "METADATA", "NONEXISTENT"},
}

// entryNamesMax is how many entries one command can name.
const entryNamesMax = 1000

// getMetadataRequest is a GETMETADATA.
type getMetadataRequest struct {
	name    string // of the mailbox in the spelling of the tree; empty: the server
	given   string // and as the client spells it
	entries []string
	maxSize int // of a value; -1: any
	depth   int // levels below each entry; -1: all
	told    map[string]bool
	longest int // of the values that were too long
}

// unasked: what others have set must be seen.
func (*getMetadataRequest) unasked(*session) {}

// parse: the options come before the mailbox in the grammar of RFC 5464 5 and behind it in all
// of its examples. Clients do both. An entry begins with "/", so that a list is known by that.
func (q *getMetadataRequest) parse(_ *session, p *wire.Parser) {
	*q = getMetadataRequest{maxSize: -1, entries: q.entries[:0]}
	p.SP()
	options := p.Try('(')
	if options {
		q.parseOptions(p)
		p.SP()
	}
	q.given, q.name = givenName(p)
	p.SP()
	list := p.Try('(')
	if list && !options && p.Peek() != '/' && p.Peek() != '"' && p.Peek() != '{' {
		q.parseOptions(p)
		p.SP()
		list = p.Try('(')
	}
	// RFC 5464 4.4.1 has an example with several entries that are in no list.
	for more := true; more; more = p.TrySP() {
		q.entries = append(q.entries, parseEntry(p, false))
		if len(q.entries) > entryNamesMax {
			p.Fail("at most 1000 entries")
		}
	}
	if list {
		p.Expect(')')
	}
}

// parseOptions reads options, and the parenthesis that ends them (RFC 5464 4.2.1, 4.2.2).
func (q *getMetadataRequest) parseOptions(p *wire.Parser) {
	for more := true; more; more = p.TrySP() {
		switch {
		case p.TryWord("MAXSIZE"):
			p.SP()
			q.maxSize = int(p.Number())
		case p.TryWord("DEPTH"):
			p.SP()
			switch {
			case p.TryWord("INFINITY"):
				q.depth = -1
			case p.TryWord("1"):
				q.depth = 1
			default:
				p.ExpectWord("0")
				q.depth = 0
			}
		default:
			p.Fail("MAXSIZE or DEPTH")
		}
	}
	p.Expect(')')
}

func (q *getMetadataRequest) run(s *session) error {
	o, err := s.annotated(q.name)
	if err != nil {
		return err
	}
	q.told = make(map[string]bool)
	w := metadataWriter{w: s.w, mailbox: q.given}
	for _, name := range q.entries {
		value, there := o.value(name)
		if there || q.depth == 0 { // RFC 5464 3.2: one without a value is NIL
			q.tell(&w, name, value, there)
		}
		if q.depth != 0 {
			o.below(name, q.depth, func(name, value string) { q.tell(&w, name, value, true) })
		}
	}
	w.end()
	if q.longest > 0 {
		s.ok.code = strconv.AppendInt(append(s.ok.code[:0], "METADATA LONGENTRIES "...), int64(q.longest), 10)
	}
	q.told = nil
	return nil
}

// tell tells an entry once, unless it is too long (RFC 5464 4.2.1).
func (q *getMetadataRequest) tell(w *metadataWriter, name, value string, there bool) {
	switch {
	case q.told[name]:
		return
	case q.maxSize >= 0 && len(value) > q.maxSize:
		q.longest = max(q.longest, len(value))
	default:
		w.entry(name, value, there)
	}
	q.told[name] = true
}

// setMetadataRequest is a SETMETADATA.
type setMetadataRequest struct {
	name    string
	entries []mailbox.AnnotationEntry
}

// unasked: nothing is set in a mailbox that may be another by now.
func (*setMetadataRequest) unasked(*session) {}

func (q *setMetadataRequest) parse(s *session, p *wire.Parser) {
	q.entries = q.entries[:0]
	p.SP()
	q.name = mailboxName(p)
	p.SP()
	p.Expect('(')
	for more := true; more; more = p.TrySP() {
		e := mailbox.AnnotationEntry{Name: parseEntry(p, true)}
		p.SP()
		e.Value, e.Gone = parseEntryValue(s, p)
		if s.refused != nil {
			return
		}
		if q.entries = append(q.entries, e); len(q.entries) > entryNamesMax {
			p.Fail("at most 1000 entries")
		}
	}
	p.Expect(')')
}

// run sets all entries or none (RFC 5464 4.3).
func (q *setMetadataRequest) run(s *session) error {
	defer func() { clear(q.entries) }() // they may be much
	o, err := s.annotated(q.name)
	if err != nil {
		return err
	}
	op := &mailbox.Annotate{Mailbox: o.id()}
	for _, e := range q.entries {
		row := metadataEntryOf(e.Name, o.mailbox == nil)
		if row != nil && row.check != nil {
			if err := row.check(s, o, e); err != nil {
				return err
			}
		}
		if row == nil || row.value == nil {
			op.Entries = append(op.Entries, e)
		}
	}
	err = s.do(op, nil)
	switch {
	case mail.Is(err, mail.TooBig):
		return s.valueTooBig()
	case mail.Is(err, mail.Limit):
		return no("METADATA TOOMANY", err.Error())
	}
	return err
}

// valueTooBig refuses a value, and says what is taken (RFC 5464 4.3).
func (s *session) valueTooBig() error {
	most := s.server.engine.Limits().AnnotationBytesMax
	return no("METADATA MAXSIZE "+strconv.Itoa(most), "the value is too long")
}
