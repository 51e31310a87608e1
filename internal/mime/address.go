package mime

import (
	"strings"
	"sync"
)

// parseAddresses reads an address list (RFC 5322 3.4 and 4.4). Whatever can be an address
// is one; groups are balanced. It returns nil when there is none.
func parseAddresses(s string) []Address {
	if s == "" {
		return nil
	}
	p := addressParsers.Get().(*addressParser)
	p.lexer = lexer{s: s}
	for !p.done() && len(p.list) < addressesMax {
		p.step()
	}
	p.endAddress()
	p.endGroup()
	list := p.list
	*p = addressParser{phrase: p.phrase[:0], local: p.local[:0], domain: p.domain[:0]}
	addressParsers.Put(p)
	return list
}

// addressParsers are those that have ended, for their buffers.
var addressParsers = sync.Pool{New: func() any { return new(addressParser) }}

// addressParser collects the words of one address until a separator says what they were.
type addressParser struct {
	lexer
	list    []Address
	inGroup bool

	phrase  []byte // all words so far, as a display name
	before  int    // bytes of phrase that were there before the local part began
	local   []byte
	domain  []byte
	comment string
	words   int
	at      bool
	angle   bool // inside < >; domain ends at its end
	space   bool // before the next word
}

func (p *addressParser) step() {
	switch c := p.peek(); c {
	case ' ', '\t':
		p.space = true
		p.i++
	case '(':
		p.comment = strings.TrimSpace(p.lexer.comment())
		p.space = true
	case '"':
		p.word(p.quoted())
	case ',':
		p.i++
		p.endAddress()
	case ';': // Also what some programs put where a comma belongs.
		p.i++
		p.endAddress()
		p.endGroup()
	case ':':
		p.i++
		if !p.at {
			p.beginGroup()
		}
	case '<':
		p.i++
		p.angleAddress()
	case '@':
		p.i++
		p.atSign()
	case '>':
		p.i++
	case '[':
		p.word(p.domainLiteral())
	default:
		p.word(p.atom())
	}
}

// atom reads up to the next special. An encoded word is one atom even with a comma in it, which
// RFC 2047 section 5 forbids and many programs write.
func (p *addressParser) atom() string {
	rest := p.s[p.i:]
	n := 0
	for n < len(rest) && !atomEnds[rest[n]] {
		n++
	}
	if end := encodedWordEnd(rest); end > n {
		n = end
	}
	n = max(n, 1) // a stray ")" or "]"
	p.i += n
	return rest[:n]
}

func (p *addressParser) domainLiteral() string {
	rest := p.s[p.i:]
	n := strings.IndexAny(rest, "],>;") + 1
	if n == 0 {
		n = len(rest)
	} else if rest[n-1] != ']' {
		n--
	}
	p.i += n
	return rest[:n]
}

func (p *addressParser) word(text string) {
	space := p.space
	p.space = false
	p.words++
	if p.at {
		// Space is allowed around dots (RFC 5322 4.4); another word is no part of the domain.
		if !space || len(p.domain) == 0 || p.domain[len(p.domain)-1] == '.' || strings.HasPrefix(text, ".") {
			p.domain = append(p.domain, text...)
		}
	} else {
		if space && len(p.local) > 0 && p.local[len(p.local)-1] != '.' && !strings.HasPrefix(text, ".") {
			p.before, p.local = len(p.phrase), p.local[:0] // "John Doe jd@example.org"
		}
		p.local = append(p.local, text...)
	}
	if space && len(p.phrase) > 0 {
		p.phrase = append(p.phrase, ' ')
	}
	p.phrase = append(p.phrase, text...)
}

func (p *addressParser) atSign() {
	if p.at { // a@b@c: the last one counts
		p.local = append(append(p.local, '@'), p.domain...)
		p.domain = p.domain[:0]
	}
	p.at = true
	p.space = false
	p.phrase = append(p.phrase, '@')
}

// angleAddress reads what is between "<" and ">" or, when that is missing, the next comma.
func (p *addressParser) angleAddress() {
	name := p.comment
	if len(p.phrase) > 0 {
		name = string(p.phrase)
	}
	p.clear()
	route := p.route()
	for p.angle = true; p.angle && !p.done(); {
		switch p.peek() {
		case '>':
			p.i++
			p.angle = false
		case ',', '<':
			p.angle = false
		case ';', ':':
			p.word(p.s[p.i : p.i+1])
			p.i++
		default:
			p.step()
		}
	}
	p.addMailbox(name, route)
	p.clear()
	// Until the comma nothing more belongs to the address.
	for !p.done() && strings.IndexByte(",;<", p.peek()) < 0 {
		switch p.peek() {
		case '(':
			p.lexer.comment()
		case '"':
			p.quoted()
		default:
			p.i++
		}
	}
}

// route reads the obsolete "@a,@b:" (RFC 5322 4.4, obs-route), if there is one.
func (p *addressParser) route() string {
	for isSpace(p.peek()) {
		p.i++
	}
	if p.peek() != '@' {
		return ""
	}
	rest := p.s[p.i:]
	n := strings.IndexAny(rest, ":<>\"")
	if n < 0 || rest[n] != ':' {
		return ""
	}
	p.i += n + 1
	return strings.Join(strings.Fields(rest[:n]), "")
}

// endAddress makes an address of the words before a separator.
func (p *addressParser) endAddress() {
	name := string(p.phrase[:p.before])
	if name == "" {
		name = p.comment // the way of before RFC 822: jd@example.org (John Doe)
	}
	switch {
	case p.at:
		p.addMailbox(name, "")
	case p.words == 1:
		p.add(Address{Name: name, Mailbox: string(p.local)})
	case p.words > 1:
		p.add(Address{Name: string(p.phrase)})
	}
	p.clear()
}

func (p *addressParser) beginGroup() {
	name := string(p.phrase)
	p.clear()
	p.endGroup()
	p.inGroup = true
	p.add(Address{Kind: GroupStart, Mailbox: name})
}

func (p *addressParser) endGroup() {
	if p.inGroup {
		p.inGroup = false
		p.list = append(p.list, Address{Kind: GroupEnd})
	}
}

// addMailbox adds an address with what is before and behind its at-sign.
func (p *addressParser) addMailbox(name, route string) {
	local := len(p.local)
	both := string(append(p.local, p.domain...)) // one string is cheaper than two
	p.add(Address{Name: name, Route: route, Mailbox: both[:local], Host: both[local:]})
}

func (p *addressParser) add(a Address) { p.list = append(p.list, a) }

// clear forgets the words of an address.
func (p *addressParser) clear() {
	p.phrase, p.local, p.domain = p.phrase[:0], p.local[:0], p.domain[:0]
	p.comment, p.before, p.words, p.at, p.space = "", 0, 0, false, false
}
