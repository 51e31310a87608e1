package search

import (
	"bytes"
	"context"
	"strconv"

	"postfach/internal/mail"
	"postfach/internal/mime"
)

// document is what the index keeps of a message. It is made with the means of the keys that
// it answers: the same fields, the same folding, the same parts.
type document struct {
	grams    [2]gramSet // of the text of its headers, of its text parts
	values   [columns]value
	texts    [columns][]byte // room for the values
	open     bool            // nothing of it is known
	subjects bool            // its Subject fields are not what its envelope says

	line, window, raw []byte
}

// read reads a message. NotFound: it is not there any more. One that can't be read has to
// be opened by whoever searches, who then says so.
func (d *document) read(ctx context.Context, from Opener, id mail.MessageID) error {
	d.reset()
	err := d.readParts(ctx, from, id)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil, mail.Is(err, mail.NotFound), mail.Is(err, mail.Unavailable), mail.Is(err, mail.Away), mail.Is(err, mail.Elsewhere):
		return err
	}
	d.reset()
	d.open = true
	for c := range d.values {
		d.values[c].state = valueOpen
	}
	return nil
}

func (d *document) reset() {
	for i := range d.grams {
		d.grams[i].reset()
	}
	d.values = [columns]value{}
	d.open, d.subjects = false, false
}

func (d *document) readParts(ctx context.Context, from Opener, id mail.MessageID) error {
	structure, err := from.Structure(ctx, id)
	if err != nil {
		return err
	}
	body, err := from.Body(ctx, id)
	if err != nil {
		return err
	}
	defer body.Close()
	for c, text := range columnFields {
		var present bool
		d.line, present = text(d.line[:0], structure.Envelope)
		d.fold(column(c), d.line, present)
	}
	if !structure.Date.IsZero() {
		d.set(columnSent, strconv.AppendInt(d.texts[columnSent][:0], int64(DayOf(structure.Date)), 10), true)
	}
	if err := d.readHeader(ctx, body); err != nil {
		return err
	}
	for p := range structure.Root.All() {
		if err := d.readPart(ctx, body, p, p == structure.Root && p.Header == 0); err != nil {
			return err
		}
	}
	return nil
}

// fold sets a column to a text, folded.
func (d *document) fold(c column, text []byte, present bool) {
	if len(text) > valueBytesMax { // folding it makes it no shorter than a third
		d.values[c] = value{state: valueOpen}
		return
	}
	d.set(c, fold(d.texts[c][:0], text), present)
}

func (d *document) set(c column, text []byte, present bool) {
	d.texts[c] = text
	switch {
	case !present:
		d.values[c] = value{}
	case len(text) > valueBytesMax:
		d.values[c] = value{state: valueOpen}
	default:
		d.values[c] = value{text, valueLength}
	}
}

// readHeader reads the message's header as keys on header fields do.
func (d *document) readHeader(ctx context.Context, body mail.Body) error {
	subjects, ids := 0, 0
	same := true
	r := &faultReader{ctx: ctx, r: section(body, 0, body.Size())}
	for f := range mime.Fields(r) {
		text := d.field(f)
		d.line = append(d.line[:0], f.Name...)
		lowerASCII(d.line)
		switch string(d.line) {
		case "subject":
			subjects++
			same = d.values[columnSubject].state == valueLength && bytes.Equal(text, d.values[columnSubject].text)
		case "message-id":
			ids++
			d.set(columnMessageID, append(d.texts[columnMessageID][:0], text...), true)
		}
	}
	if ids > 1 {
		d.values[columnMessageID] = value{state: valueOpen}
	}
	present := 0
	if d.values[columnSubject].state != valueAbsent {
		present = 1
	}
	d.subjects = subjects != present || !same
	return r.err
}

// field takes the text of a header field, and returns its value, folded.
func (d *document) field(f mime.Field) []byte {
	d.window = fieldText(d.window[:0], f)
	d.grams[tableHeader].add(d.window)
	d.grams[tableHeader].end()
	d.line = fold(d.line[:0], f.Name)
	return d.window[len(d.line)+len(": "):]
}

// readPart reads a part: its header, unless that has been read, and its text.
func (d *document) readPart(ctx context.Context, body mail.Body, p *mime.Part, headerRead bool) error {
	if !headerRead {
		r := &faultReader{ctx: ctx, r: section(body, p.Header, p.Body)}
		for f := range mime.Fields(r) {
			d.field(f)
		}
		if r.err != nil {
			return r.err
		}
	}
	if !isText(p) {
		return nil
	}
	if d.raw == nil {
		d.raw = make([]byte, rawBytes)
	}
	r := &faultReader{ctx: ctx, r: section(body, p.Body, p.End)}
	pieces(mime.PlainText(r, p), d.raw, func(piece []byte) bool {
		d.window = fold(d.window[:0], piece)
		d.grams[tableBody].add(d.window)
		return true
	})
	d.grams[tableBody].end()
	return r.err
}
