package imap

import "postfach/internal/search"

// extThreadRefs threads by ids alone, and puts the threads with the newest mail last, which is
// what people want to see (draft-ietf-morg-inthread).
var extThreadRefs = family{
	name: "THREAD=REFS",
	rfc:  "draft-ietf-morg-inthread",
	doc:  "Threads made from references alone, sorted by their newest message.",
	capabilities: []capability{
		{word: "THREAD=REFS", when: loggedIn},
	},
	threadings: []threading{{"REFS", search.Refs}},
}
