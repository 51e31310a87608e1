package imap

import (
	"postfach/internal/mime"
	"postfach/internal/wire"
)

func writeBodyShort(m *fetched, _ *fetchAtt) {
	m.s.w.Raw("BODY ")
	bodyWriter{m.s, m.s.w, false}.part(m.structure.Root)
}

// writeBodyStructure writes all extension data: some clients need what is optional
// in the grammar, such as the disposition.
func writeBodyStructure(m *fetched, _ *fetchAtt) {
	m.s.w.Raw("BODYSTRUCTURE ")
	bodyWriter{m.s, m.s.w, true}.part(m.structure.Root)
}

// bodyWriter writes a body (RFC 9051 7.5.2, and 9, body).
type bodyWriter struct {
	s        *session
	w        *wire.Writer
	extended bool // with extension data: BODYSTRUCTURE, not BODY
}

func (b bodyWriter) part(p *mime.Part) {
	b.w.Byte('(')
	if len(p.Children) > 0 {
		b.multipart(p)
	} else {
		b.single(p)
	}
	b.w.Byte(')')
}

// multipart writes the parts, without anything between them, and the subtype (RFC
// 9051 9, body-type-mpart).
func (b bodyWriter) multipart(p *mime.Part) {
	for _, child := range p.Children {
		b.part(child)
	}
	b.w.SP().String(p.Subtype)
	if b.extended {
		b.w.SP()
		b.params(p.Params)
		b.extension(p)
	}
}

func (b bodyWriter) single(p *mime.Part) {
	b.w.String(p.Type).SP().String(p.Subtype).SP()
	b.params(p.Params)
	b.w.SP()
	writeNString(b.w, p.ID)
	b.w.SP()
	writeNString(b.w, p.Description)
	b.w.SP().String(p.Encoding).SP()
	b.s.writeOctets(p.Size())
	switch {
	case b.isMessage(p):
		b.w.SP()
		writeEnvelope(b.w, p.Envelope)
		b.w.SP()
		b.part(p.Message)
		b.w.SP()
		b.s.writeOctets(p.Lines)
	case p.Type == "text":
		b.w.SP()
		b.s.writeOctets(p.Lines)
	}
	if b.extended {
		b.w.SP()
		writeNString(b.w, p.MD5)
		b.extension(p)
	}
}

// isMessage tells whether a part is shown with what is in it. MESSAGE/GLOBAL is
// that only since RFC 9051 (9, media-message); to others it is a file.
func (b bodyWriter) isMessage(p *mime.Part) bool {
	return p.Message != nil && (p.Subtype == "rfc822" || b.s.rev2)
}

// extension writes what single parts and multiparts have in common: disposition,
// language, location.
func (b bodyWriter) extension(p *mime.Part) {
	b.w.SP()
	if p.Disposition == "" {
		b.w.NIL()
	} else {
		b.w.Byte('(').String(p.Disposition).SP()
		b.params(p.DispositionParams)
		b.w.Byte(')')
	}
	b.w.SP()
	b.languages(p.Language)
	b.w.SP()
	writeNString(b.w, p.Location)
}

// languages writes one as a string and several as a list (RFC 9051 9,
// body-fld-lang).
func (b bodyWriter) languages(tags []string) {
	switch len(tags) {
	case 0:
		b.w.NIL()
		return
	case 1:
		b.w.String(tags[0])
		return
	}
	b.w.Byte('(')
	for i, tag := range tags {
		if i > 0 {
			b.w.SP()
		}
		b.w.String(tag)
	}
	b.w.Byte(')')
}

// params writes attributes and values. An extended one is sent in UTF-8 where the
// client takes that, else percent-encoded (RFC 9051 7.5.2).
func (b bodyWriter) params(params []mime.Param) {
	if len(params) == 0 {
		b.w.NIL()
		return
	}
	b.w.Byte('(')
	for i, p := range params {
		if i > 0 {
			b.w.SP()
		}
		value := p.Value
		if !b.w.QuotedUTF8 {
			value = p.Wire()
		}
		b.w.String(p.Name).SP().String(value)
	}
	b.w.Byte(')')
}
