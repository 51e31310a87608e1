package imap

import (
	"postfach/internal/mail"
	"postfach/internal/search"
	"postfach/internal/wire"
)

// extThread finds messages as SEARCH does, and tells which answers which (RFC 5256).
var extThread = family{
	name: "THREAD",
	rfc:  "RFC 5256",
	doc:  "SEARCH with a result of threads, made from subjects or from references.",
	capabilities: []capability{
		{word: "THREAD=ORDEREDSUBJECT", when: loggedIn},
		{word: "THREAD=REFERENCES", when: loggedIn},
	},
	commands: []command{
		{name: "THREAD", states: selected, numbers: usesNumbers, uid: true, new: func() request { return new(threadRequest) }},
	},
	threadings: []threading{
		{"ORDEREDSUBJECT", search.OrderedSubject},
		{"REFERENCES", search.References},
	},
	codes: []string{"BADCHARSET"},
}

// threadRequest is a THREAD or UID THREAD.
type threadRequest struct {
	searchRequest
	algorithm search.Algorithm
}

func (q *threadRequest) parse(s *session, p *wire.Parser) {
	q.searchRequest = searchRequest{s: s}
	p.SP()
	known := false
	word := p.PeekWord()
	eachRow(func(f *family) []threading { return f.threadings }, func(t threading) {
		if wire.Is(word, t.name) {
			q.algorithm, known = t.algorithm, true
		}
	})
	if !known {
		p.Fail("a threading algorithm that this server knows")
		return
	}
	p.Word()
	p.SP()
	q.charset(p.AString())
	p.SP()
	q.root = q.keys(p)
}

// run threads what is found in one version of the mailbox.
func (q *threadRequest) run(s *session) error {
	defer func() { q.searchRequest = searchRequest{} }() // it may hold much
	err := q.start(s)
	if err == nil {
		err = q.find(s)
	}
	if err != nil {
		return err
	}
	var trees []*search.Tree
	if len(q.found.uids) > 0 {
		known := q.known()
		var err error
		if trees, err = s.server.library.Thread(s.ctx, q.box(), known, q.algorithm, q.found.uids); err != nil {
			return err
		}
		q.learnt(known)
	}
	q.writeThreads(s, trees)
	return nil
}

// writeThreads writes the THREAD response (RFC 5256 4), also when nothing was found. MODSEQ
// among the keys changes nothing (RFC 7162 3.1.9).
func (q *threadRequest) writeThreads(s *session, trees []*search.Tree) {
	s.w.Raw("* THREAD")
	if len(trees) > 0 {
		s.w.SP()
	}
	numbers := q.found.numbering()
	w := search.TreeWriter{Raw: func(text string) { s.w.Raw(text) }, Number: func(u mail.UID) {
		if s.command.uid {
			s.w.Number(uint32(u))
		} else {
			s.w.Number(numbers.of(u))
		}
	}}
	for _, t := range trees {
		if s.w.Err() != nil {
			return
		}
		w.Write(t)
	}
	s.w.CRLF()
}
