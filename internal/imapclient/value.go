package imapclient

import "postfach/internal/wire"

// Value is an item that the client does not interpret, such as ENVELOPE or BODYSTRUCTURE
// (RFC 9051 7.5.2): a list, a string or atom, or NIL.
type Value struct {
	Text   string // of a string, an atom or a number
	List   []Value
	IsList bool // also with nothing in it
	NIL    bool
}

// readValue reads anything.
func readValue(p *wire.Parser) Value {
	switch p.Peek() {
	case '(':
		return readValues(p)
	case '"', '{', '~':
		s, _ := p.NString()
		return Value{Text: string(s)}
	}
	atom := p.Atom()
	if wire.Is(atom, "NIL") {
		return Value{NIL: true}
	}
	return Value{Text: string(atom)}
}

// readValues reads a list. Its members are apart by spaces, except the parts of a
// multipart, which are not.
func readValues(p *wire.Parser) Value {
	v := Value{IsList: true}
	p.Expect('(')
	if !p.Enter() {
		return v
	}
	defer p.Leave()
	for !p.Try(')') && p.Err() == nil {
		p.TrySP()
		v.List = append(v.List, readValue(p))
	}
	return v
}
