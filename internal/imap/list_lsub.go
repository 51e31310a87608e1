package imap

import (
	"postfach/internal/mailbox"
	"postfach/internal/wire"
)

// lsubRequest is an LSUB (RFC 3501 6.3.9).
type lsubRequest struct{ pattern string }

func (q *lsubRequest) parse(_ *session, p *wire.Parser) {
	p.SP()
	reference := p.Mailbox()
	p.SP()
	q.pattern = canonicalPattern(reference, p.ListMailbox())
}

func (q *lsubRequest) run(s *session) error {
	tree := s.account.Tree()
	s.depend(tree.Ticket)
	if q.pattern == "" {
		s.w.Raw(`* LSUB (\Noselect) "/" ""`).CRLF()
		return nil
	}
	var l listed
	eachSubscribed(tree, newNamePattern(q.pattern), func(name string, parentOnly bool) bool {
		l = listed{name: name, mailbox: tree.Lookup(name), parentOnly: parentOnly, attributes: l.attributes}
		l.children = parentOnly || tree.HasChildren(name)
		s.writeNamed("* LSUB (", &l)
		s.w.CRLF()
		return s.w.Err() == nil
	})
	return nil
}

// eachSubscribed calls f for the subscribed names that match. Where a "%" stops
// above a subscribed name, the name up to there stands for it (RFC 3501 6.3.9).
func eachSubscribed(tree *mailbox.Tree, pattern *namePattern, f func(name string, parentOnly bool) bool) {
	told := make(map[string]bool)
	for _, name := range tree.Subscriptions() {
		if pattern.matches(name) {
			if !f(name, false) {
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
			if told[parent] = true; !f(parent, true) {
				return
			}
		}
	}
}
