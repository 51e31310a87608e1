package imap

import (
	"postfach/internal/mailbox"
)

// extUIDOnly does without message numbers (RFC 9586): a client that never counts needs no
// order of news, and a server no table.
var extUIDOnly = family{
	name: "UIDONLY",
	rfc:  "RFC 9586",
	doc:  "Messages have UIDs only; commands with message numbers are refused.",
	capabilities: []capability{
		{word: "UIDONLY", when: loggedIn},
	},
	enables: []enable{{"UIDONLY", (*session).enableUIDOnly}},
	codes:   []string{"UIDREQUIRED"},
}

// errUIDRequired refuses message numbers (RFC 9586 3).
var errUIDRequired = &refusal{"BAD", "UIDREQUIRED", "message numbers are off"}

// enableUIDOnly makes messages be told by UID, also those that are gone (RFC 9586 3.3, 3.5).
func (s *session) enableUIDOnly() {
	s.noNumbers = errUIDRequired
	s.telling.head, s.telling.named = uidHead, true
	s.telling.expunged = tellVanished
}

// uidHead begins a UIDFETCH response (RFC 9586 3.3).
func uidHead(s *session, r *mailbox.Row) { s.w.Raw("* ").Number(uint32(r.UID)).Raw(" UIDFETCH (") }
