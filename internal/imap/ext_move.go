package imap

// extMove moves messages at one stroke (RFC 6851, RFC 9051 6.4.8).
var extMove = family{
	name: "MOVE",
	rfc:  "RFC 6851",
	doc:  "Moves messages into another mailbox, all of them or none.",
	capabilities: []capability{
		{word: "MOVE", when: loggedIn},
	},
	commands: []command{
		{name: "MOVE", states: selected, uid: true, new: func() request { return new(moveRequest) }},
	},
}

type moveRequest struct{ copyRequest }

// run answers with COPYUID before the expunges that the news tell, so that a client
// knows where the messages went when it hears that they are gone (RFC 6851 4.3).
func (q *moveRequest) run(s *session) error {
	if s.view.ReadOnly {
		return errReadOnly
	}
	r, err := s.copyTo(&q.copyRequest, true)
	if err == nil && len(r.Target) > 0 {
		s.w.Raw("* OK [").Bytes(appendCopyCode(nil, &r)).Raw("] moved\r\n")
		s.hasRemoved()
	}
	return err
}
