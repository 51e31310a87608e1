package imap

// extURLPartial lets a URL name a part of what it names (RFC 5550 4.3). The URL is read
// in package wire.
var extURLPartial = family{
	name: "URL-PARTIAL",
	rfc:  "RFC 5550",
	doc:  "URLs of a range of bytes.",
	capabilities: []capability{
		{word: "URL-PARTIAL", when: loggedIn},
	},
}
