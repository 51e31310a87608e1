package imap

// extChildren tells with each name whether there are mailboxes below it (RFC
// 3348), which saves a client a LIST for each to find out.
var extChildren = family{
	name: "CHILDREN",
	rfc:  "RFC 3348",
	doc:  "LIST tells which names have mailboxes below them.",
	capabilities: []capability{
		{word: "CHILDREN", when: loggedIn},
	},
	listReturns: []listReturn{
		{name: "CHILDREN"}, // RFC 5258 4
	},
	listAttributes: []listAttribute{
		func(dst []byte, l *listed) []byte {
			if l.children {
				return append(dst, ` \HasChildren`...)
			}
			return append(dst, ` \HasNoChildren`...)
		},
	},
}
