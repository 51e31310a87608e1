package imap

import (
	"postfach/internal/mailbox"
	"postfach/internal/wire"
)

// extNotify lets a client say what it wants to be told of, in any mailbox and at any time
// (RFC 5465).
var extNotify = family{
	name: "NOTIFY",
	rfc:  "RFC 5465",
	doc:  "The client says which events in which mailboxes it wants to be told of, as they come.",
	capabilities: []capability{
		{word: "NOTIFY", when: loggedIn},
	},
	commands: []command{
		{name: "NOTIFY", states: afterLogin, sync: true, new: func() request { return new(notifyRequest) }},
	},
	codes: []string{"BADEVENT", "NOTIFICATIONOVERFLOW"},
}

// events is a set of kinds of events (RFC 5465 5).
type events uint8

const (
	eventNew events = 1 << iota // MessageNew, and so on
	eventExpunge
	eventFlags
	eventName
	eventSubscription
	eventMailboxMetadata
	eventServerMetadata

	messageEvents = eventNew | eventExpunge | eventFlags
)

// knownEvents are the events that RFC 5465 8 names. What has no bit is not supported.
var knownEvents = []struct {
	name    string // in capitals
	event   events
	message bool // about a message: SELECTED can have it
}{
	{"MESSAGENEW", eventNew, true},
	{"MESSAGEEXPUNGE", eventExpunge, true},
	{"FLAGCHANGE", eventFlags, true},
	{"ANNOTATIONCHANGE", 0, true},
	{"MAILBOXNAME", eventName, false},
	{"SUBSCRIPTIONCHANGE", eventSubscription, false},
	{"MAILBOXMETADATACHANGE", eventMailboxMetadata, false},
	{"SERVERMETADATACHANGE", eventServerMetadata, false},
}

// errBadEvent lists all events that are supported (RFC 5465 3.1).
var errBadEvent = no("BADEVENT (MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange MailboxMetadataChange ServerMetadataChange)",
	"only these events can be told")

// eventGroup is the events that are wanted of some mailboxes.
type eventGroup struct {
	mailboxFilter
	events events
}

// notifyRequest is NOTIFY SET or NOTIFY NONE.
type notifyRequest struct {
	set      bool
	status   bool
	listener *notify
	selected bool // there was SELECTED or SELECTED-DELAYED
	badEvent bool // an event that this server can't tell
	names    int
}

func (q *notifyRequest) parse(_ *session, p *wire.Parser) {
	*q = notifyRequest{listener: new(notify)}
	p.SP()
	if p.TryWord("NONE") {
		return
	}
	p.ExpectWord("SET")
	q.set = true
	p.SP()
	if q.status = p.TryWord("STATUS"); q.status {
		p.SP()
	}
	for more := true; more; more = p.TrySP() {
		p.Expect('(')
		q.parseGroup(p)
		p.Expect(')')
	}
}

// parseGroup reads mailboxes and the events that are wanted of them.
func (q *notifyRequest) parseGroup(p *wire.Parser) {
	var g eventGroup
	n := q.listener
	q.names++
	switch name := string(appendUpper(nil, p.Word())); name {
	case "SELECTED":
		n.atOnce = true
		q.parseSelected(p)
		return
	case "SELECTED-DELAYED":
		q.parseSelected(p)
		return
	default:
		g.mailboxFilter = parseMailboxFilter(p, name)
		q.names += len(g.names)
	}
	p.SP()
	if g.events = q.parseEvents(p, false); g.events != 0 {
		n.groups = append(n.groups, g)
	}
}

// parseSelected reads the events of the selected mailbox. It has one group at most (RFC
// 5465 6.1).
func (q *notifyRequest) parseSelected(p *wire.Parser) {
	if q.selected {
		p.Fail("SELECTED or SELECTED-DELAYED only once")
	}
	q.selected = true
	p.SP()
	e := q.parseEvents(p, true)
	if e&eventNew != 0 {
		q.listener.kinds |= mailbox.Arrivals | mailbox.Expunges
	}
	if e&eventFlags != 0 {
		q.listener.kinds |= mailbox.FlagChanges
	}
}

// parseEvents reads a list of events, or NONE, and holds the rules which of them need
// which (RFC 5465 5).
func (q *notifyRequest) parseEvents(p *wire.Parser, selected bool) events {
	if p.TryWord("NONE") {
		return 0
	}
	var all events
	p.Expect('(')
	for more := true; more; {
		e := q.parseEvent(p, selected)
		all |= e
		more = p.TrySP()
		if e == eventNew && more && p.Peek() == '(' {
			q.parseFetch(p, selected)
			more = p.TrySP()
		}
	}
	p.Expect(')')
	switch new, expunge := all&eventNew != 0, all&eventExpunge != 0; {
	case new != expunge:
		p.Fail("MessageNew and MessageExpunge together")
	case all&eventFlags != 0 && !new:
		p.Fail("MessageNew and MessageExpunge with FlagChange")
	}
	return all
}

// parseEvent reads the name of one. A name that nobody knows may be one of an extension,
// and is refused as not supported.
func (q *notifyRequest) parseEvent(p *wire.Parser, selected bool) events {
	name := p.Atom()
	for _, known := range knownEvents {
		if !wire.Is(name, known.name) {
			continue
		}
		if selected && !known.message { // RFC 5465 6.1
			p.Fail("only events of messages with SELECTED")
		}
		q.badEvent = q.badEvent || known.event == 0
		return known.event
	}
	q.badEvent = true
	return 0
}

// parseFetch reads what shall be told of each message that arrives.
func (q *notifyRequest) parseFetch(p *wire.Parser, selected bool) {
	if !selected { // RFC 5465 8, message-event
		p.Fail("data items only with SELECTED")
		return
	}
	if q.listener.fetch == nil {
		q.listener.fetch = new(fetchRequest)
	}
	q.listener.fetch.parseItems(p)
}

// unasked: STATUS responses must be able to say what is new.
func (*notifyRequest) unasked(*session) {}

func (q *notifyRequest) run(s *session) error {
	switch {
	case q.badEvent:
		return errBadEvent
	case q.names > s.server.limits.WatchedNamesMax:
		return no("NOTIFICATIONOVERFLOW", "those are too many names and groups")
	}
	if q.set {
		// RFC 5465 3.1: all that is known so far is told, whatever was wanted before.
		if s.listener != nil {
			s.listener.others(s)
		}
		s.listenTo(nil)
		s.tellAll(true)
		if s.over {
			return errOver
		}
	}
	if f := q.listener.fetch; f != nil {
		for _, begins := range f.begins {
			begins(s)
		}
	}
	q.listener.begin(s, q.status)
	s.listenTo(q.listener)
	q.listener = nil
	return nil
}
