package imap

import (
	"postfach/internal/wire"
)

// extListExtended says which names LIST tells, and what of them (RFC 5258, RFC 9051
// 6.3.9). The syntax is in list_request.go.
var extListExtended = family{
	name: "LIST-EXTENDED",
	rfc:  "RFC 5258",
	doc:  "LIST takes several patterns, and options that say which names it tells and what of them.",
	capabilities: []capability{
		{word: "LIST-EXTENDED", when: loggedIn},
	},
	listSelections: []listSelection{
		{name: "SUBSCRIBED", selects: func(l *listed) bool { return l.subscribed }},
		{name: "REMOTE"}, // no mailbox is elsewhere, so that nothing is \Remote
		{name: "RECURSIVEMATCH", choose: func(q *listRequest) { q.recursive = true }},
	},
	listReturns: []listReturn{
		{name: "SUBSCRIBED"},
	},
	listAttributes: []listAttribute{
		func(dst []byte, l *listed) []byte {
			if l.extended && l.subscribed {
				return append(dst, ` \Subscribed`...)
			}
			return dst
		},
	},
	listItems: []listItem{
		{
			// RFC 5258 3.5
			name: "CHILDINFO",
			has:  func(l *listed) bool { return len(l.criteria) > 0 },
			write: func(w *wire.Writer, l *listed) {
				w.Byte('(')
				for i, option := range l.criteria {
					if i > 0 {
						w.SP()
					}
					w.String(option)
				}
				w.Byte(')')
			},
		},
	},
}
