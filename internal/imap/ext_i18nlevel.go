package imap

// extI18NLevel says how texts are compared: SEARCH, SORT and THREAD do it by the collation
// i;unicode-casemap (RFC 5255 4.2, 4.3), which is that of package search.
var extI18NLevel = family{
	name: "I18NLEVEL=1",
	rfc:  "RFC 5255",
	doc:  "Texts are compared in Unicode without regard to case, also in SORT and THREAD.",
	capabilities: []capability{
		{word: "I18NLEVEL=1", when: loggedIn},
	},
}
