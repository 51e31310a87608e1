package imap

import (
	"strings"

	"postfach/internal/mailbox"
	"postfach/internal/wire"
)

// coreList tells which mailboxes there are (RFC 3501 6.3.8, 6.3.9).
var coreList = family{
	name: "LIST",
	rfc:  "RFC 3501 6.3.8",
	doc:  "LIST and LSUB.",
	commands: []command{
		{name: "LIST", states: afterLogin, new: func() request { return new(listRequest) }},
		{name: "LSUB", states: afterLogin, new: func() request { return &listRequest{subscribed: true} }},
	},
	listAttributes: []listAttribute{
		func(dst []byte, l *listed) []byte {
			if l.mailbox == nil || l.parentOnly {
				return append(dst, ` \Noselect`...)
			}
			return dst
		},
	},
}

// listAttribute appends what it has to say of a name, each attribute after a space
// (RFC 9051 7.3.1).
type listAttribute func(dst []byte, l *listed) []byte

// listed is a name that LIST or LSUB tells.
type listed struct {
	name       string
	mailbox    *mailbox.Mailbox // nil: there is none by that name
	children   bool             // there are mailboxes below it
	parentOnly bool             // LSUB: not subscribed itself, but a name below it is
}

type listRequest struct {
	subscribed bool // LSUB
	pattern    string
}

// parse joins the reference and the pattern: the reference is the beginning of
// the names meant, whether it ends with a delimiter or not (RFC 3501 6.3.8).
func (q *listRequest) parse(_ *session, p *wire.Parser) {
	p.SP()
	reference := p.Mailbox()
	p.SP()
	q.pattern = p.ListMailbox()
	if q.pattern != "" {
		q.pattern = reference + q.pattern
	}
}

func (q *listRequest) run(s *session) error {
	tree := s.account.Tree()
	s.depend(tree.Ticket)
	var line []byte
	write := func(l listed) bool {
		if l.mailbox == nil {
			l.mailbox = tree.Lookup(l.name)
		}
		l.children = l.parentOnly || tree.HasChildren(l.name)
		line = s.writeListed(line[:0], q.subscribed, &l)
		return s.w.Err() == nil
	}
	switch {
	case q.pattern == "":
		// RFC 3501 6.3.8: only the delimiter and the root, which no reference here has.
		s.w.Raw(q.response()).Raw(`(\Noselect) "/" ""`).CRLF()
	case q.subscribed:
		eachSubscribed(tree, newNamePattern(q.pattern), write)
	default:
		eachName(tree, newNamePattern(q.pattern), write)
	}
	return nil
}

func (q *listRequest) response() string {
	if q.subscribed {
		return "* LSUB "
	}
	return "* LIST "
}

// writeListed writes a LIST or LSUB response; attributes is room for its
// attributes, which it returns.
func (s *session) writeListed(attributes []byte, subscribed bool, l *listed) []byte {
	eachRow(func(f *family) []listAttribute { return f.listAttributes }, func(a listAttribute) {
		attributes = a(attributes, l)
	})
	s.w.Raw((&listRequest{subscribed: subscribed}).response()).Byte('(')
	if len(attributes) > 0 {
		s.w.Bytes(attributes[1:])
	}
	s.w.Raw(`) "/" `).Mailbox(l.name).CRLF()
	return attributes
}

// eachName calls f for the names that match: mailboxes, and names that only have
// mailboxes below them. A name comes before those below it.
func eachName(tree *mailbox.Tree, pattern *namePattern, f func(listed) bool) {
	before := ""
	for e := range tree.All() {
		for parent := range parentsNotOf(before, e.Name) {
			if tree.Lookup(parent) == nil && pattern.matches(parent) && !f(listed{name: parent}) {
				return
			}
		}
		if pattern.matches(e.Name) && !f(listed{name: e.Name, mailbox: e.Mailbox}) {
			return
		}
		before = e.Name
	}
}

// parentsNotOf yields the names above a name that are not above the one before it.
// In a sorted list all names below one stand together, so that each parent is
// yielded once.
func parentsNotOf(before, name string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for i := range len(name) {
			if name[i] == mailbox.Delimiter && !strings.HasPrefix(before, name[:i+1]) && !yield(name[:i]) {
				return
			}
		}
	}
}

// eachSubscribed calls f for the subscribed names that match. Where a "%" stops
// above a subscribed name, the name up to there stands for it (RFC 3501 6.3.9).
func eachSubscribed(tree *mailbox.Tree, pattern *namePattern, f func(listed) bool) {
	told := make(map[string]bool)
	for _, name := range tree.Subscriptions() {
		if pattern.matches(name) {
			if !f(listed{name: name}) {
				return
			}
			continue
		}
		if !pattern.oneLevel {
			continue
		}
		for parent := range parentsNotOf("", name) {
			if told[parent] || tree.Subscribed(parent) || !pattern.matches(parent) {
				continue
			}
			if told[parent] = true; !f(listed{name: parent, parentOnly: true}) {
				return
			}
		}
	}
}
