package imap

// extEsort lets clients say what of a sorted result they need (RFC 5267 3). The options are
// those of SEARCH: a sorted result has a first and a last message, too.
var extEsort = family{
	name: "ESORT",
	rfc:  "RFC 5267",
	doc:  "SORT tells only the first, the last or the number of messages, or all as a set in order.",
	capabilities: []capability{
		{word: "ESORT", when: loggedIn},
	},
}
