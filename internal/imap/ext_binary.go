package imap

import (
	"bytes"
	"io"

	"postfach/internal/mailbox"
	"postfach/internal/mime"
	"postfach/internal/wire"
)

// extBinary sends parts of messages without their content transfer encoding, and takes
// messages with NULs in them (RFC 3516; FETCH is a part of RFC 9051 6.4.5).
var extBinary = family{
	name: "BINARY",
	rfc:  "RFC 3516",
	doc:  "Parts of messages without their transfer encoding, and messages with NULs.",
	capabilities: []capability{
		{word: "BINARY", when: loggedIn},
	},
	fetchItems: []fetchItem{
		{name: "BINARY", needs: needsBody | needsStructure, seen: true, parse: parseBinary, prepare: prepareBinary, write: writeBinary},
		{name: "BINARY.PEEK", needs: needsBody | needsStructure, parse: parseBinary, prepare: prepareBinary, write: writeBinary},
		{name: "BINARY.SIZE", needs: needsBody | needsStructure, parse: parseBinarySize, prepare: prepareBinary, write: writeBinarySize},
	},
	appendChecks: []appendCheck{encodeBinary},
	codes:        []string{"UNKNOWN-CTE"},
}

// encodeBinary gives parts with NULs that have come in a literal8 another encoding: no
// other item of FETCH could send them, and BODYSTRUCTURE has to describe what it can
// send (RFC 3516 6). Everything else stays as it is.
func encodeBinary(s *session, a *appending, in *mailbox.Incoming) error {
	if !in.NUL || !a.binary {
		return nil
	}
	structure, err := mime.Decode(in.Message.Structure)
	if err != nil {
		return err
	}
	body, err := a.upload().Open()
	if err != nil {
		return err
	}
	defer body.Close()
	if err := a.open(s, -1); err != nil {
		return err
	}
	if err := mime.WriteTextual(a.upload(), body, structure); err != nil {
		return err
	}
	*in, err = a.finish(s)
	return err
}

// binarySection is what BINARY[...] asks for, and what it is in the message at hand.
type binarySection struct {
	bodySection
	part *mime.Part // nil: the message itself, which has no encoding
	size int64      // bytes to be sent
	nul  bool       // among them is a NUL
}

// parseBinary reads part numbers and nothing else (RFC 3516 7, section-binary).
func parseBinary(p *wire.Parser, a *fetchAtt) {
	b := &binarySection{bodySection: *parseSection(p)}
	if b.section != mime.SectionBody {
		p.Fail("section-part")
	}
	a.args = b
}

func parseBinarySize(p *wire.Parser, a *fetchAtt) {
	parseBinary(p, a)
	if a.args.(*binarySection).partial {
		p.Fail("no partial")
	}
}

// prepareBinary decodes once to find out how many bytes there will be, and whether they
// need a literal8. Nothing is kept: writeBinary decodes once more.
func prepareBinary(m *fetched, a *fetchAtt) error {
	b := a.args.(*binarySection)
	b.part, b.size, b.nul = nil, 0, false
	if err := m.locate(&b.bodySection); err != nil || b.content.missing {
		return err
	}
	if len(b.path) > 0 {
		b.part = m.structure.Find(b.path)
	}
	r, ok := m.decode(b)
	if !ok { // RFC 9051 7.5.2
		return no("UNKNOWN-CTE", "some of the parts have an encoding that is not known here")
	}
	var c binaryCount
	_, err := io.Copy(&c, r)
	b.size, b.nul = c.size, c.nul
	return err
}

// decode returns the decoded content, or what the partial wants of it.
func (m *fetched) decode(b *binarySection) (io.Reader, bool) {
	var r io.Reader = io.NewSectionReader(m.body, b.content.bytes.Start, b.content.size)
	if b.part != nil {
		var ok bool
		if r, ok = mime.DecodedContent(r, b.part); !ok {
			return nil, false
		}
	}
	if !b.partial {
		return r, true
	}
	if s, ok := r.(io.Seeker); ok {
		_, _ = s.Seek(min(b.from, b.content.size), io.SeekStart)
	} else if _, err := io.CopyN(io.Discard, r, b.from); err != nil {
		return failedReader{err}, true // such as io.EOF: there is nothing that far
	}
	return io.LimitReader(r, b.length), true
}

// binaryCount counts bytes and looks for a NUL.
type binaryCount struct {
	size int64
	nul  bool
}

// Write implements io.Writer.
func (c *binaryCount) Write(p []byte) (int, error) {
	c.size += int64(len(p))
	c.nul = c.nul || bytes.IndexByte(p, 0) >= 0
	return len(p), nil
}

// writeBinary writes the content: as a literal8 only when it needs one, so that the
// client knows about NULs without looking for them (RFC 3516 4.3).
func writeBinary(m *fetched, a *fetchAtt) {
	b := a.args.(*binarySection)
	w := m.s.w
	w.Raw("BINARY")
	b.writeSpec(w)
	w.SP()
	switch {
	case b.content.missing:
		w.NIL()
		return
	case b.size == 0:
		w.String("")
		return
	}
	r, _ := m.decode(b)
	if b.nul {
		_ = w.Literal8(b.size, r)
	} else {
		_ = w.Literal(b.size, r)
	}
}

func writeBinarySize(m *fetched, a *fetchAtt) {
	b := a.args.(*binarySection)
	m.s.w.Raw("BINARY.SIZE")
	b.writeSpec(m.s.w)
	m.s.w.SP()
	m.s.writeOctets(b.size)
}
