package imap

// extNamespace tells where a user's mailboxes are (RFC 2342): here they are at the
// root, without a prefix, and there are no others.
var extNamespace = family{
	name: "NAMESPACE",
	rfc:  "RFC 2342",
	doc:  "Tells that all names are the user's own and begin at the root.",
	capabilities: []capability{
		{word: "NAMESPACE", when: loggedIn},
	},
	commands: []command{
		{name: "NAMESPACE", states: afterLogin, new: func() request { return new(namespaceRequest) }},
	},
}

type namespaceRequest struct{ noArguments }

func (*namespaceRequest) run(s *session) error {
	s.w.Raw(`* NAMESPACE (("" "/")) NIL NIL`).CRLF()
	return nil
}
