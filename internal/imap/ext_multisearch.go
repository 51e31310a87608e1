package imap

import (
	"slices"

	"postfach/internal/mail"
	"postfach/internal/mailbox"
	"postfach/internal/wire"
)

// extMultiSearch searches several mailboxes with one command, whichever is selected (RFC
// 7377).
var extMultiSearch = family{
	name: "MULTISEARCH",
	rfc:  "RFC 7377",
	doc:  "ESEARCH searches any number of mailboxes and leaves the selected one as it is.",
	capabilities: []capability{
		{word: "MULTISEARCH", when: loggedIn},
	},
	commands: []command{
		{name: "ESEARCH", states: afterLogin, numbers: usesNumbers, sync: true, new: func() request { return new(multiSearchRequest) }},
	},
	codes: []string{"LIMIT"},
}

// multiSearchRequest is an ESEARCH: the same search in one mailbox after the other.
type multiSearchRequest struct {
	searchRequest
	sources []mailboxFilter // one of each kind
	tree    *mailbox.Tree
	places  []mailbox.Entry
}

func (q *multiSearchRequest) parse(s *session, p *wire.Parser) {
	*q = multiSearchRequest{searchRequest: searchRequest{s: s, uid: true, extended: true}}
	p.SP()
	if p.TryWord("IN") {
		p.SP()
		q.notHere = true
		q.parseSources(p)
		p.SP()
	}
	q.parseProgram(p)
}

// parseSources reads which mailboxes shall be searched. No scope options are defined (RFC 7377
// 4, esearch-source-opts).
func (q *multiSearchRequest) parseSources(p *wire.Parser) {
	p.Expect('(')
	for more := true; more; more = p.TrySP() {
		switch name := string(appendUpper(nil, p.Word())); name {
		case "SELECTED":
			q.notHere = false
		case "SUBTREE-ONE":
			q.addSource(mailboxFilter{filterSubtreeOne, parseFilterNames(p)})
		default: // SELECTED-DELAYED is not for ESEARCH (RFC 7377 2.2)
			q.addSource(parseMailboxFilter(p, name))
		}
	}
	p.Expect(')')
}

// addSource keeps the names of one kind together: what looking them up costs does not grow with
// how many filters there are.
func (q *multiSearchRequest) addSource(f mailboxFilter) {
	q.others = true
	for i := range q.sources {
		if g := &q.sources[i]; g.kind == f.kind {
			g.names = append(g.names, f.names...)
			slices.Sort(g.names)
			return
		}
	}
	q.sources = append(q.sources, f)
}

// run searches each mailbox in one version of it, which need not be of the same moment as the
// others'.
func (q *multiSearchRequest) run(s *session) error {
	defer q.forget()
	if !q.notHere && s.view == nil {
		return bad("no mailbox is selected") // RFC 7377 2.2
	}
	if err := q.check(s); err != nil {
		return err
	}
	err := q.start(s)
	if err == nil {
		err = q.choose(s)
	}
	pending := !q.notHere
	for _, e := range q.places {
		if err != nil {
			break
		}
		if s.view == nil || s.view.Mailbox() != e.Mailbox {
			err = q.findIn(s, e)
			continue
		}
		err = q.tell(s, e)
		q.finish(s, err)
		pending = false
	}
	if err != nil && pending {
		q.finish(s, err)
	}
	return err
}

// forget lets go of what may be much.
func (q *multiSearchRequest) forget() { *q = multiSearchRequest{} }

// choose finds out which mailboxes are meant, each once. Names that no mailbox has are passed
// over, so that nothing can be found out about them (RFC 7377 5).
func (q *multiSearchRequest) choose(s *session) error {
	q.tree = s.account.Tree()
	s.depend(q.tree.Ticket)
	var selected *mailbox.Mailbox
	if !q.notHere {
		selected = s.view.Mailbox()
		if q.tree.ByID(selected.ID) == nil { // deleted, and the client does not know it yet
			q.places = append(q.places, mailbox.Entry{Name: s.selectedAs, Mailbox: selected})
		}
	}
	messages := int64(0)
	for e := range q.tree.All() {
		if e.Mailbox != selected && !slices.ContainsFunc(q.sources, func(f mailboxFilter) bool { return f.covers(e.Name, q.tree) }) {
			continue
		}
		q.places = append(q.places, e)
		messages += e.Mailbox.Status().Messages
	}
	switch l := &s.server.limits; {
	case len(q.places) > l.SearchMailboxesMax:
		return no("LIMIT", "those are too many mailboxes for one search")
	case q.others && messages > l.SearchMessagesMax: // they all have to be loaded
		return no("LIMIT", "those are too many messages for one search")
	}
	return nil
}

// findIn searches a mailbox that is not selected.
func (q *multiSearchRequest) findIn(s *session, e mailbox.Entry) error {
	v, err := s.account.Select(s.ctx, e.Mailbox, true, nil)
	if mail.Is(err, mail.NotFound) {
		return nil // it has just been deleted
	}
	if err != nil {
		return err
	}
	defer v.Close()
	return s.elsewhere(v, func() error { return q.tell(s, e) })
}

// tell searches a mailbox and tells what was found. Where nothing was, nothing is said (RFC
// 7377 2.1).
func (q *multiSearchRequest) tell(s *session, e mailbox.Entry) error {
	if err := q.find(s); err != nil {
		return err
	}
	q.correlator = correlator{e.Name, s.view.State().UIDValidity}
	if len(q.found.uids) > 0 {
		q.write(s)
	}
	return nil
}

// elsewhere does something as if another mailbox were the selected one, in which no result was
// saved.
func (s *session) elsewhere(v *mailbox.View, f func() error) error {
	view, saved := s.view, s.saved
	defer func() { s.view, s.saved = view, saved }()
	s.view, s.saved = v, nil
	return f()
}
