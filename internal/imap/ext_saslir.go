package imap

// extSASLIR lets AUTHENTICATE carry the client's first part (RFC 4959). The
// grammar is in authenticate.go: RFC 9051 made it a part of the command.
var extSASLIR = family{
	name: "SASL-IR",
	rfc:  "RFC 4959",
	doc:  "AUTHENTICATE with an initial response.",
	capabilities: []capability{
		{word: "SASL-IR", when: func(s *session) bool { return s.state == notAuthenticated }},
	},
}
