package imap

// extMultiAppend puts several messages into a mailbox at one stroke (RFC 3502). APPEND
// reads them.
var extMultiAppend = family{
	name: "MULTIAPPEND",
	rfc:  "RFC 3502",
	doc:  "One APPEND of several messages, all of them or none.",
	capabilities: []capability{
		{word: "MULTIAPPEND", when: loggedIn},
	},
}
