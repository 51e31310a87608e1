package imap

import (
	"postfach/internal/wire"
)

// coreAny is what a client can say in any state (RFC 9051 6.1).
var coreAny = family{
	name: "any state",
	rfc:  "RFC 3501 6.1",
	doc:  "CAPABILITY, NOOP and LOGOUT.",
	capabilities: []capability{
		{word: "IMAP4rev1"},
	},
	commands: []command{
		{name: "CAPABILITY", states: anyState, new: func() request { return new(capabilityRequest) }},
		{name: "NOOP", states: anyState, sync: true, new: func() request { return new(noopRequest) }},
		{name: "LOGOUT", states: anyState, new: func() request { return new(logoutRequest) }},
	},
	codes: []string{"CAPABILITY"},
}

// noArguments is the parse of a command without any.
type noArguments struct{}

func (noArguments) parse(*session, *wire.Parser) {}

type capabilityRequest struct{ noArguments }

func (*capabilityRequest) run(s *session) error {
	s.w.Raw("* ").Bytes(s.appendCapability(nil)).CRLF()
	return nil
}

// appendCapability appends the capabilities that hold now, as in the CAPABILITY
// response and response code (RFC 9051 7.2.2).
func (s *session) appendCapability(dst []byte) []byte {
	dst = append(dst, "CAPABILITY"...)
	for _, f := range rowsOf {
		if s.server.without[f.name] {
			continue
		}
		for _, c := range f.capabilities {
			if c.when != nil && !c.when(s) {
				continue
			}
			dst = append(append(dst, ' '), c.word...)
			if c.value != nil {
				dst = append(dst, c.value(s)...)
			}
		}
	}
	return dst
}

// noopRequest does nothing: step tells the news (RFC 9051 6.1.2).
type noopRequest struct{ noArguments }

func (*noopRequest) run(*session) error { return nil }

func (*noopRequest) unasked(*session) {}

type logoutRequest struct{ noArguments }

func (*logoutRequest) run(s *session) error {
	s.untagged("BYE", "", "see you")
	s.unselect()
	s.over = true
	return nil
}

// greet says the first words (RFC 9051 7.1.5), with the capabilities, which saves
// the client a round trip.
func (s *session) greet() {
	s.w.Raw("* OK [").Bytes(s.appendCapability(nil)).Raw("] Postfach\r\n")
}
