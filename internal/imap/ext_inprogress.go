package imap

import "bytes"

// extInProgress says in numbers how far a long command has come (RFC 9585).
var extInProgress = family{
	name: "INPROGRESS",
	rfc:  "RFC 9585",
	doc:  "A command that takes long tells how far it has come.",
	capabilities: []capability{
		{word: "INPROGRESS", when: loggedIn},
	},
	progressCodes: []progressCode{appendInProgress},
	codes:         []string{"INPROGRESS"},
}

// appendInProgress appends the code. RFC 9585 4: a tag with a "]" would end it too early, so it is
// not told.
func appendInProgress(dst []byte, s *session, done, goal uint32) []byte {
	dst = append(dst, "INPROGRESS ("...)
	if bytes.IndexByte(s.tag, ']') >= 0 {
		dst = append(dst, "NIL "...)
	} else {
		dst = append(append(append(dst, '"'), s.tag...), `" `...)
	}
	dst = append(appendNumber(dst, done), ' ')
	if goal <= done { // RFC 9585 4: a goal is greater, or NIL
		return append(dst, "NIL)"...)
	}
	return append(appendNumber(dst, goal), ')')
}
