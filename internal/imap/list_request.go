package imap

import (
	"postfach/internal/mailbox"
	"postfach/internal/wire"
)

const (
	listPatternsMax = 100 // of one command
	listOptionsMax  = 100 // of each kind
)

// listRequest is a LIST, in the syntax of RFC 3501 or the extended one of RFC 9051.
type listRequest struct {
	extended  bool // it is the extended one
	root      bool // only the delimiter is asked for
	patterns  []*namePattern
	selects   []listSelection // those that narrow down what is told
	recursive bool            // also names above those that are selected
	sync      bool
	tails     []listTail

	names []listName // of one run
	told  listed     // the name at hand
}

func (q *listRequest) parse(s *session, p *wire.Parser) {
	*q = listRequest{told: listed{attributes: q.told.attributes}}
	p.SP()
	if p.Peek() == '(' {
		q.extended = true
		q.parseSelections(p)
		p.SP()
	}
	reference := p.Mailbox()
	p.SP()
	first := ""
	if p.Try('(') {
		q.extended = true
		for ok := true; ok; ok = p.TrySP() {
			q.parsePattern(p, reference)
		}
		p.Expect(')')
	} else {
		first = q.parsePattern(p, reference)
	}
	if p.TrySP() {
		q.extended = true
		q.parseReturns(s, p)
	}
	// RFC 9051 6.3.9: an empty name has this meaning in the basic syntax only.
	q.root = !q.extended && first == ""
}

// parsePattern reads a pattern. An empty one matches no name (RFC 9051 6.3.9).
func (q *listRequest) parsePattern(p *wire.Parser, reference string) string {
	pattern := canonicalPattern(reference, p.ListMailbox())
	q.patterns = append(q.patterns, newNamePattern(pattern))
	if len(q.patterns) > listPatternsMax {
		p.Fail("at most 100 patterns")
	}
	return pattern
}

// canonicalPattern joins the reference and a pattern, in the spelling of the tree: the
// reference is the beginning of the names meant, whether it ends with a delimiter or not
// (RFC 9051 6.3.9).
func canonicalPattern(reference, pattern string) string {
	if pattern == "" {
		return ""
	}
	return mailbox.CanonicalName(reference + pattern)
}

func (q *listRequest) parseSelections(p *wire.Parser) {
	given := make(map[string]bool)
	parseOptions(p, func(f *family) []listSelection { return f.listSelections },
		func(r listSelection) string { return r.name },
		func(r listSelection) {
			if r.selects != nil && !given[r.name] {
				q.selects = append(q.selects, r)
			}
			if r.choose != nil {
				r.choose(q)
			}
			given[r.name] = true
		})
	if q.recursive && len(q.selects) == 0 { // RFC 9051 6.3.9.1
		p.Fail("another option that RECURSIVEMATCH is about")
	}
}

// parseReturns reads return options. Of one that comes twice the last counts.
func (q *listRequest) parseReturns(s *session, p *wire.Parser) {
	p.ExpectWord("RETURN")
	p.SP()
	tails := make(map[string]listTail)
	parseOptions(p, func(f *family) []listReturn { return f.listReturns },
		func(r listReturn) string { return r.name },
		func(r listReturn) {
			q.sync = q.sync || r.sync
			if r.parse != nil {
				tails[r.name] = r.parse(s, p)
			}
		})
	eachRow(func(f *family) []listReturn { return f.listReturns }, func(r listReturn) {
		if tail := tails[r.name]; tail != nil {
			q.tails = append(q.tails, tail)
		}
	})
}

// parseOptions reads options in parentheses, each by its row; there may be none (RFC
// 9051 9, list-select-opts, list-return-opts).
func parseOptions[R any](p *wire.Parser, rows func(*family) []R, name func(R) string, parse func(R)) {
	p.Expect('(')
	for n := 0; !p.Try(')') && p.Err() == nil; n++ {
		if n > 0 {
			p.SP()
		}
		word, found := p.Word(), false
		eachRow(rows, func(r R) {
			if !found && wire.Is(word, name(r)) {
				found = true
				parse(r)
			}
		})
		if !found || n == listOptionsMax { // RFC 9051 6.3.9: BAD
			p.Fail("an option of LIST that this server knows")
		}
	}
}

func (q *listRequest) run(s *session) error {
	if q.sync {
		if err := s.account.Sync(s.ctx); err != nil {
			return err
		}
	}
	tree := s.account.Tree()
	s.depend(tree.Ticket)
	if q.root { // here no reference has a root of its own
		s.w.Raw(`* LIST (\Noselect) "/" ""`).CRLF()
		return nil
	}
	q.collect(tree)
	err := q.tell(s, tree)
	q.names, q.told = nil, listed{attributes: q.told.attributes}
	return err
}
