package imap

import (
	"slices"

	"postfach/internal/wire"
)

// extListMetadata tells annotations with the names of mailboxes (RFC 9590).
var extListMetadata = family{
	name: "LIST-METADATA",
	rfc:  "RFC 9590",
	doc:  "LIST tells with each mailbox some of its annotations.",
	capabilities: []capability{
		{word: "LIST-METADATA", when: loggedIn},
	},
	listReturns: []listReturn{
		{name: "METADATA", sync: true, parse: parseListMetadata},
	},
}

type listMetadata struct{ entries []string }

// parseListMetadata reads at least one entry.
func parseListMetadata(_ *session, p *wire.Parser) listTail {
	t := new(listMetadata)
	p.SP()
	p.Expect('(')
	for more := true; more; more = p.TrySP() {
		if name := parseEntry(p, false); !slices.Contains(t.entries, name) {
			t.entries = append(t.entries, name)
		}
		if len(t.entries) > entryNamesMax {
			p.Fail("at most 1000 entries")
		}
	}
	p.Expect(')')
	return t
}

func (*listMetadata) prepare(*session, *listed) error { return nil }

// write tells also which entries have no value.
func (t *listMetadata) write(s *session, l *listed) {
	o := annotated{s.account.Tree(), l.mailbox}
	s.depend(o.tree.Ticket)
	w := metadataWriter{w: s.w, mailbox: l.name}
	for _, name := range t.entries {
		value, there := o.value(name)
		w.entry(name, value, there)
	}
	w.end()
}
