package imap

import "cmp"

// extUnauthenticate leaves an account, so that a program that works for many users needs
// one connection (RFC 8437). Options.Without turns it off (RFC 8437 8).
var extUnauthenticate = family{
	name: "UNAUTHENTICATE",
	rfc:  "RFC 8437",
	doc:  "Leaves the account and all that was enabled; the connection stays.",
	capabilities: []capability{
		{word: "UNAUTHENTICATE", when: loggedIn},
	},
	commands: []command{
		{name: "UNAUTHENTICATE", states: afterLogin, new: func() request { return new(unauthenticateRequest) }},
	},
	codes: []string{"CAPABILITY"},
}

type unauthenticateRequest struct{ noArguments }

// run can't be refused: commands may be on their way that count on its success (RFC 8437
// 3).
func (*unauthenticateRequest) run(s *session) error {
	if err := s.flush(); err != nil { // what waits depends on the account
		return err
	}
	s.close()
	s.conn.renew()
	s.server.estrange(s)
	s.ok.code = s.appendCapability(s.ok.code[:0])
	s.finish(nil)
	if err := s.flush(); err != nil {
		return err
	}
	var failed error
	eachRow(func(f *family) []func(*session) error { return f.loggedOut }, func(end func(*session) error) {
		failed = cmp.Or(failed, end(s))
	})
	return cmp.Or(failed, errAnswered)
}
