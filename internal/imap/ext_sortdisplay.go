package imap

import "postfach/internal/search"

// extSortDisplay sorts by the names of people as they are shown (RFC 5957).
var extSortDisplay = family{
	name: "SORT=DISPLAY",
	rfc:  "RFC 5957",
	doc:  "SORT by the display name of the first address in From or To.",
	capabilities: []capability{
		{word: "SORT=DISPLAY", when: loggedIn},
	},
	sortKeys: []sortKey{
		{name: "DISPLAYFROM", key: search.ByDisplayFrom},
		{name: "DISPLAYTO", key: search.ByDisplayTo},
	},
}
