package mime

import "bytes"

// field is a header field that the parser keeps.
type field uint8

const (
	noField field = iota
	contentType
	contentID
	contentDescription
	contentEncoding
	contentMD5
	contentDisposition
	contentLanguage
	contentLocation
	// From here on only in the header of a message.
	date
	subject
	from
	sender
	replyTo
	to
	cc
	bcc
	inReplyTo
	messageID
	references
	fieldCount
)

var fieldNames = map[string]field{
	"content-type": contentType, "content-id": contentID, "content-description": contentDescription,
	"content-transfer-encoding": contentEncoding, "content-md5": contentMD5,
	"content-disposition": contentDisposition, "content-language": contentLanguage,
	"content-location": contentLocation,
	"date":             date, "subject": subject, "from": from, "sender": sender, "reply-to": replyTo, "to": to,
	"cc": cc, "bcc": bcc, "in-reply-to": inReplyTo, "message-id": messageID, "references": references,
}

// fieldOf returns the field with the name, in any case, or noField.
func fieldOf(name []byte) field {
	var buf [32]byte
	if len(name) > len(buf) {
		return noField
	}
	return fieldNames[string(lower(buf[:0], name))]
}

// bytesMax is how much of the field's value is kept.
func (f field) bytesMax() int {
	switch f {
	case from, sender, replyTo, to, cc, bcc, references, inReplyTo:
		return addressBytesMax
	}
	return fieldBytesMax
}

// header holds the fields of one header that are of interest.
type header struct {
	message, root bool
	lines         int                // fields seen, of interest or not
	blank         bool               // the last line was folded and has white space only
	values        [fieldCount]string // after settle
	present       [fieldCount]bool
	spans         [fieldCount]span // of the values in all
	all           []byte

	current field
	value   []byte // of current
	cut     bool   // value is not all of it
}

// span is where a value is.
type span struct{ from, to int }

func (h *header) reset(message, root bool) {
	*h = header{message: message, root: root, value: h.value[:0], all: h.all[:0]}
}

// settle makes the values: parts of one string, which is cheaper than a string for each.
func (h *header) settle() {
	all := string(h.all)
	for f, at := range h.spans {
		h.values[f] = all[at.from:at.to]
	}
}

// begin starts a field. Of several with one name the first counts.
func (h *header) begin(f field, value []byte) {
	if h.present[f] || f >= date && !h.message || f == references && !h.root {
		f = noField
	}
	h.current = f
	h.value, h.cut = h.value[:0], false
	h.more(value)
}

// more appends a line to the current field; leaving out the line ends unfolds it (RFC 5322 2.2.3).
func (h *header) more(line []byte) {
	if h.current == noField {
		return
	}
	room := h.current.bytesMax() - len(h.value)
	if len(line) > room {
		line, h.cut = line[:room], true
	}
	h.value = append(h.value, line...)
}

// endField keeps the field that has just ended, if there is room for it.
func (p *Parser) endField() {
	h := &p.header
	f := h.current
	h.current = noField
	if f == noField || p.kept+len(h.value) > structureMax {
		return
	}
	if i := bytes.LastIndexByte(h.value, ','); h.cut && i >= 0 && from <= f && f <= bcc {
		h.value = h.value[:i] // Half an address is a wrong address.
	}
	value := cleaned(h.value)
	h.present[f], h.spans[f] = true, span{len(h.all), len(h.all) + len(value)}
	h.all = append(h.all, value...)
	if f >= date {
		p.kept += len(value)
	}
}

// clean is cleaned as a string.
func clean(b []byte) string { return string(cleaned(b)) }

// cleaned trims a value and puts spaces for the bytes that no IMAP string can have or that could
// end a line. It changes b.
func cleaned(b []byte) []byte {
	for i, c := range b {
		if c == 0 || c == '\r' || c == '\n' {
			b[i] = ' '
		}
	}
	return bytes.Trim(b, " \t")
}
