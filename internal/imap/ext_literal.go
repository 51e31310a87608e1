package imap

// extLiteral lets a client send literals without waiting (RFC 7888). The framing
// is in package wire.
var extLiteral = family{
	name: "LITERAL+",
	rfc:  "RFC 7888",
	doc:  "Literals {n+} that do not wait for the server.",
	capabilities: []capability{
		{word: "LITERAL+"},
	},
	codes: []string{"TOOBIG"},
}
