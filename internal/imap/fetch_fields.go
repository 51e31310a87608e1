package imap

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"

	"postfach/internal/mime"
	"postfach/internal/wire"
)

// fieldsColumn is the column of header fields. A text of it is how many pieces there are, for
// each its number and its length, and the pieces one after the other: all header fields that
// clients use to ask for, and the empty line.
const fieldsColumn = "FIELDS"

// listedFields numbers the header fields that are in listings: those that clients ask for when
// they list a mailbox, but for those that are as long as everything else. Another order, or another
// set, needs another listingVersion.
var listedFields = map[string]uint8{}

func init() {
	for i, name := range [...]string{
		"bcc", "cc", "content-class", "content-description", "content-disposition", "content-language",
		"content-transfer-encoding", "content-type", "date", "delivered-to", "disposition-notification-to",
		"envelope-to", "from", "importance", "in-reply-to", "lines", "list-id", "list-post",
		"list-unsubscribe", "mail-followup-to", "mail-reply-to", "message-id", "mime-version", "newsgroups",
		"priority", "references", "reply-to", "resent-from", "resent-message-id", "return-path", "sender",
		"subject", "to", "x-draft-info", "x-label", "x-mailer", "x-original-to", "x-priority", "x-spam-flag",
		"x-tuid", "x-uniform-type-identifier", "x-universally-unique-identifier",
	} {
		listedFields[name] = uint8(i)
	}
}

// lastLine is the number of the empty line at a header's end, which every list gets (RFC 9051
// 6.4.5.1).
const lastLine = 63

// listable finds out whether listings have all that the section asks for.
func (b *bodySection) listable() bool {
	if !b.filter || b.not || b.partial || len(b.path) > 0 {
		return false
	}
	b.listed = 1 << lastLine
	for _, name := range b.fields {
		number, ok := listedFields[asLower(name)]
		if !ok {
			return false
		}
		b.listed |= 1 << number
	}
	return true
}

func asLower(name string) string { return string(bytes.ToLower([]byte(name))) }

// fieldPicker makes the texts of the column.
type fieldPicker struct {
	reader *bufio.Reader
	table  []byte // number and length of each piece
	pieces []byte
}

const (
	pieceEntryBytes = 3
	piecesMax       = 255
)

// pick picks the fields of a message, which has been opened; nil: it has no header, or they
// are too long for a listing.
func (f *fieldPicker) pick(m *fetched) ([]byte, error) {
	b := bodySection{section: mime.SectionHeader}
	if err := m.locate(&b); err != nil {
		return nil, err
	}
	if b.content.missing {
		return nil, nil
	}
	r := io.NewSectionReader(m.body, b.content.bytes.Start, b.content.bytes.Len())
	if f.reader == nil {
		f.reader = bufio.NewReader(r)
	} else {
		f.reader.Reset(r)
	}
	f.table, f.pieces = f.table[:0], f.pieces[:0]
	header := mime.NewHeaderPieces(f.reader)
	listed := false
	for header.Next() {
		if header.Begins {
			number, ok := listedFields[string(header.Name)]
			if header.Over {
				number, ok = lastLine, true
			}
			if listed = ok; listed {
				f.table = append(f.table, number, 0, 0)
			}
		}
		if listed {
			f.add(header.Piece)
		}
		if len(f.pieces) > listingTextMax || len(f.table) > piecesMax*pieceEntryBytes {
			return nil, nil
		}
	}
	if err := header.Err(); err != io.EOF {
		return nil, err
	}
	text := append(make([]byte, 0, 1+len(f.table)+len(f.pieces)), uint8(len(f.table)/pieceEntryBytes))
	return append(append(text, f.table...), f.pieces...), nil
}

// add adds bytes to the last piece. No literal may hold a NUL (RFC 9051 4.3.1).
func (f *fieldPicker) add(piece []byte) {
	from := len(f.pieces)
	f.pieces = append(f.pieces, piece...)
	for rest := f.pieces[from:]; ; {
		i := bytes.IndexByte(rest, 0)
		if i < 0 {
			break
		}
		rest[i] = '?'
	}
	length := f.table[len(f.table)-2:]
	binary.LittleEndian.PutUint16(length, binary.LittleEndian.Uint16(length)+uint16(len(piece)))
}

// writePicked writes those of the pieces that a section asks for.
func writePicked(w *wire.Writer, b *bodySection, text []byte) {
	w.Bytes(b.label)
	table := text[1 : 1+pieceEntryBytes*int(text[0])]
	pieces := text[1+len(table):]
	size := 0
	for e := table; len(e) > 0; e = e[pieceEntryBytes:] {
		if b.listed>>e[0]&1 != 0 {
			size += int(e[1]) | int(e[2])<<8
		}
	}
	if size == 0 {
		w.String("")
		return
	}
	w.LiteralHead(size)
	// Neighbours are written together.
	from, to := 0, 0
	for e := table; len(e) > 0; e = e[pieceEntryBytes:] {
		n := int(e[1]) | int(e[2])<<8
		if b.listed>>e[0]&1 == 0 {
			w.Bytes(pieces[from:to])
			from = to + n
		}
		to += n
	}
	w.Bytes(pieces[from:to])
}
