package wire

import "unicode/utf8"

// Mailbox reads a mailbox name and returns it in UTF-8; INBOX in any case is
// "INBOX" (RFC 9051 5.1). With NamesUTF8 the bytes are the name, an "&"
// included, which is what clients send then. Otherwise modified UTF-7 is
// decoded, with DecodeUTF7Leniently.
func (p *Parser) Mailbox() string {
	b := p.AString()
	if Is(b, "INBOX") {
		return "INBOX"
	}
	return p.name(b)
}

// ListMailbox reads a pattern of LIST (list-mailbox), decoded like a name; "%"
// and "*" may be in it.
func (p *Parser) ListMailbox() string {
	switch p.Peek() {
	case '"', '{':
		return p.name(p.String())
	}
	return p.name(p.span(listChar, "list-mailbox"))
}

// name decodes a mailbox name.
func (p *Parser) name(b []byte) string {
	if p.err != nil {
		return ""
	}
	if p.NamesUTF8 {
		if utf8.Valid(b) {
			return string(b)
		}
	} else if name, ok := DecodeUTF7Leniently(b); ok {
		return name
	}
	p.Fail("mailbox name in UTF-8 or modified UTF-7")
	return ""
}
