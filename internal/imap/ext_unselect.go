package imap

// extUnselect leaves a mailbox without expunging it (RFC 3691, RFC 9051 6.4.2).
var extUnselect = family{
	name: "UNSELECT",
	rfc:  "RFC 3691",
	doc:  "Leaves the selected mailbox without removing anything.",
	capabilities: []capability{
		{word: "UNSELECT", when: loggedIn},
	},
	commands: []command{
		{name: "UNSELECT", states: selected, new: func() request { return new(unselectRequest) }},
	},
}

type unselectRequest struct{ noArguments }

func (*unselectRequest) run(s *session) error {
	s.unselect()
	return nil
}
