package imap

import (
	"bytes"
	"errors"
	"io"

	"postfach/internal/mail"
	"postfach/internal/mime"
	"postfach/internal/wire"
)

// The items that BODY and its kin become, once it is known what they ask for.
var (
	bodyShort = fetchItem{name: "BODY", needs: needsStructure, fixed: true, write: writeBodyShort}
	bodySeen  = fetchItem{name: "BODY", seen: true, prepare: prepareSection, write: writeSection}
	bodyPeek  = fetchItem{name: "BODY.PEEK", prepare: prepareSection, write: writeSection}
)

// useSection makes an item one that asks for a section. All of the message needs no
// structure.
func useSection(a *fetchAtt, item *fetchItem, b *bodySection) {
	a.fetchItem, a.args, a.needs = item, b, needsBody|needsStructure
	if b.whole() {
		a.needs = needsBody
	}
}

func (b *bodySection) whole() bool { return len(b.path) == 0 && b.section == mime.SectionBody }

// parseRFC822 is BODY[] under another name (RFC 3501 6.4.5).
func parseRFC822(_ *wire.Parser, a *fetchAtt) {
	useSection(a, &bodySeen, &bodySection{name: "RFC822"})
}

// parseRFC822Text is BODY[TEXT] under another name.
func parseRFC822Text(_ *wire.Parser, a *fetchAtt) {
	useSection(a, &bodySeen, &bodySection{name: "RFC822.TEXT", section: mime.SectionText})
}

// parseRFC822Header is BODY.PEEK[HEADER] under another name.
func parseRFC822Header(_ *wire.Parser, a *fetchAtt) {
	useSection(a, &bodyPeek, &bodySection{name: "RFC822.HEADER", section: mime.SectionHeader})
}

// content is the bytes that a section stands for in one message.
type content struct {
	missing bool       // the message has no such section
	size    int64      // bytes
	bytes   mime.Range // of the body; of a filtered header, all of it

	// A filtered header is held in fetched.filtered when it is small, else it is
	// filtered once more.
	held  bool
	start int // in fetched.filtered
}

// locate finds the section's bytes.
func (m *fetched) locate(b *bodySection) error {
	b.content = content{}
	c := &b.content
	if b.whole() {
		c.bytes = mime.Range{End: m.body.Size()}
	} else {
		var ok bool
		c.bytes, ok = m.structure.Range(b.path, b.section)
		c.missing = !ok
	}
	if c.bytes.Start < 0 || c.bytes.Start > c.bytes.End || c.bytes.End > m.body.Size() {
		return mail.Wrap(mail.Corrupt, errors.New("the structure does not fit the message"))
	}
	c.size = c.bytes.Len()
	return nil
}

// prepareSection finds out what the section is and how long.
func prepareSection(m *fetched, a *fetchAtt) error {
	b := a.args.(*bodySection)
	c := &b.content
	if err := m.locate(b); err != nil || c.missing || c.size == 0 || m.lazy {
		return err
	}
	if b.filter {
		return m.filter(b)
	}
	// A body that is damaged where reading begins is noticed while there is still a
	// way to say so; later only the end of the connection is left.
	_, err := m.body.ReadAt(m.probe[:], c.bytes.Start+min(b.from, c.size-1))
	if err == io.EOF {
		err = nil
	}
	return err
}

// writeSection writes the section: NIL when the message has none, the empty string
// for a partial that begins beyond its end (RFC 9051 6.4.5).
func writeSection(m *fetched, a *fetchAtt) {
	b := a.args.(*bodySection)
	w := m.s.w
	b.writeName(w)
	w.SP()
	r, size := m.openSection(b)
	switch {
	case b.content.missing:
		w.NIL()
	case size == 0:
		w.String("")
	default:
		m.literal.Reader = r
		_ = w.Literal(size, &m.literal)
	}
}

// withoutNUL makes a "?" of each NUL of mail that is broken, as in strings: only a
// literal8 may hold one (RFC 9051 4.3.1, and 9, note 3). BINARY shows it.
type withoutNUL struct{ io.Reader }

func (r *withoutNUL) Read(b []byte) (int, error) {
	n, err := r.Reader.Read(b)
	for rest := b[:n]; ; {
		i := bytes.IndexByte(rest, 0)
		if i < 0 {
			return n, err
		}
		rest[i] = '?'
		rest = rest[i+1:]
	}
}

// openSection returns the section's bytes, or what the partial wants of them.
func (m *fetched) openSection(b *bodySection) (r io.Reader, size int64) {
	c := &b.content
	from, size := int64(0), c.size
	if b.partial {
		from = min(b.from, size)
		size = min(size-from, b.length)
	}
	switch {
	case c.held:
		at := c.start + int(from)
		m.reader.Reset(m.filtered.Bytes()[at : at+int(size)])
		return &m.reader, size
	case b.filter && size > 0:
		r := m.filterHeader(b)
		if _, err := io.CopyN(io.Discard, r, from); err != nil {
			r = failedReader{err}
		}
		return io.LimitReader(r, size), size
	}
	m.section = *io.NewSectionReader(m.body, c.bytes.Start+from, size)
	return &m.section, size
}

// failedReader makes a literal end the connection: its size has been said already.
type failedReader struct{ err error }

func (r failedReader) Read([]byte) (int, error) { return 0, r.err }

// filteredBytesMax is how much of filtered headers is held in memory, for all
// items of a message. What is beyond is counted first and filtered once more when
// it is written.
const filteredBytesMax = 256 << 10

// filter picks the header fields and finds out how many bytes they are.
func (m *fetched) filter(b *bodySection) error {
	c := &b.content
	r := m.filterHeader(b)
	c.start = m.filtered.Len()
	n, err := io.CopyN(&m.filtered, r, int64(filteredBytesMax-c.start))
	if err == io.EOF {
		c.size, c.held = n, true
		return nil
	}
	if err != nil {
		return err
	}
	m.filtered.Truncate(c.start)
	rest, err := io.Copy(io.Discard, r)
	c.size = n + rest
	return err
}

func (m *fetched) filterHeader(b *bodySection) io.Reader {
	r := io.NewSectionReader(m.body, b.content.bytes.Start, b.content.bytes.Len())
	return mime.FilterHeader(r, b.fields, b.not)
}
