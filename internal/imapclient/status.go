package imapclient

import (
	"bytes"
	"strconv"
	"strings"

	"postfach/internal/wire"
)

// Status is a status response (RFC 9051 7.1).
type Status struct {
	Kind string // OK, NO, BAD, BYE or PREAUTH
	Code string // the response code's name in capitals, or empty
	Arg  string // what follows it inside the brackets
	Text string // for humans
}

// Error is a command that was refused, or the BYE that ended the connection.
type Error struct{ Status }

func (e *Error) Error() string {
	if e.Code == "" {
		return e.Kind + " " + e.Text
	}
	return strings.TrimSuffix(e.Kind+" ["+e.Code+" "+e.Arg, " ") + "] " + e.Text
}

func isStatus(word []byte) bool {
	return wire.Is(word, "OK") || wire.Is(word, "NO") || wire.Is(word, "BAD") || wire.Is(word, "BYE") || wire.Is(word, "PREAUTH")
}

// readStatus reads what follows the kind: a code, if there is one, and text. Servers
// leave the text out, so nobody insists on it.
func readStatus(p *wire.Parser, word []byte) Status {
	if !isStatus(word) {
		p.Fail("OK, NO, BAD, BYE or PREAUTH")
		return Status{}
	}
	s := Status{Kind: upper(word)}
	if !p.TrySP() {
		return s
	}
	text := p.Text()
	if end := bytes.IndexByte(text, ']'); len(text) > 0 && text[0] == '[' && end > 0 {
		code, arg, _ := bytes.Cut(text[1:end], []byte(" "))
		s.Code, s.Arg = upper(code), string(arg)
		text = bytes.TrimPrefix(text[end+1:], []byte(" "))
	}
	s.Text = string(text)
	return s
}

// upper returns a word in capitals, without a new string for those that come often.
func upper(word []byte) string {
	switch string(word) {
	case "OK":
		return "OK"
	case "NO":
		return "NO"
	case "APPENDUID":
		return "APPENDUID"
	case "COPYUID":
		return "COPYUID"
	}
	return strings.ToUpper(string(word))
}

// AppendUID is where APPEND has put a message (RFC 4315 3); ok is false when the
// server did not say so.
func (s *Status) AppendUID() (validity, uid uint32, ok bool) {
	if s.Code != "APPENDUID" {
		return 0, 0, false
	}
	v, u, _ := strings.Cut(s.Arg, " ")
	v64, err := strconv.ParseUint(v, 10, 32)
	if err != nil {
		return 0, 0, false
	}
	u64, err := strconv.ParseUint(u, 10, 32)
	return uint32(v64), uint32(u64), err == nil && u64 > 0
}

// Copied is where COPY or MOVE has put messages (RFC 4315 3): the n-th of Source, in
// the order of the sets' text, is now the n-th of Target. It is zero when the server
// did not say so, as when there was nothing to copy.
type Copied struct {
	UIDValidity uint32
	Source      wire.Set
	Target      wire.Set
}

// copiesMax is how many messages Pairs goes through.
const copiesMax = 1 << 24

// Pairs calls f for each message with its UID before and after, as long as f returns
// true.
func (c *Copied) Pairs(f func(source, target uint32) bool) {
	if c.Source.Count() > copiesMax {
		return
	}
	targets := make([]uint32, 0, c.Target.Count())
	for u := range c.Target.All() {
		targets = append(targets, u)
	}
	i := 0
	for u := range c.Source.All() {
		if i == len(targets) || !f(u, targets[i]) {
			return
		}
		i++
	}
}

// CopyUID reads the code COPYUID.
func (s *Status) CopyUID() (c Copied, ok bool) {
	if s.Code != "COPYUID" {
		return c, false
	}
	r := lineReader(s.Arg)
	if r.Begin() != nil {
		return c, false
	}
	p := r.Parser()
	c.UIDValidity = p.NZNumber()
	p.SP()
	p.Set(&c.Source)
	p.SP()
	p.Set(&c.Target)
	p.End()
	ok = p.Err() == nil && !c.Source.HasStar() && !c.Target.HasStar()
	// Both are ascending where they matter: resolving keeps the order then.
	c.Source.Resolve(0)
	c.Target.Resolve(0)
	return c, ok && c.Source.Count() == c.Target.Count() && c.Target.Count() <= copiesMax
}

// lineReader reads a text with the grammar of a response.
func lineReader(text string) *wire.Reader {
	return wire.NewReader(strings.NewReader(text+"\r\n"), wire.Limits{LineBytesMax: lineBytesMax})
}
