package mime

import "strings"

// describe sets from the header what a part is. digest says that the part is in a
// multipart/digest, where the default type is another (RFC 2046 5.1.5).
func (h *header) describe(part *Part, digest bool) {
	value, params := parseParams(h.values[contentType])
	mediaType, subtype, ok := splitMediaType(value)
	switch {
	case ok:
		part.Type, part.Subtype, part.Params = mediaType, subtype, params
	case digest && !h.present[contentType]:
		part.Type, part.Subtype = "message", "rfc822"
	default: // RFC 2045 5.2: also when the field can't be understood
		part.Type, part.Subtype, part.Params = "text", "plain", defaultParams()
	}
	part.ID = h.values[contentID]
	part.Description = h.values[contentDescription]
	part.Encoding = firstToken(h.values[contentEncoding])
	if part.Encoding == "" {
		part.Encoding = "7bit" // RFC 2045 6.1
	}
	part.MD5 = h.values[contentMD5]
	part.Disposition, part.DispositionParams = parseDisposition(h.values[contentDisposition])
	part.Language = parseLanguages(h.values[contentLanguage])
	// RFC 2557 4.4.2: folding put white space into the URI.
	part.Location = strings.Join(strings.Fields(h.values[contentLocation]), "")
}

// describeMessage sets the envelope of the message whose header has just ended; parent
// is the part that it is in, nil for the message itself.
func (p *Parser) describeMessage(parent *Part) {
	h := &p.header
	envelope := h.envelope()
	p.kept += envelope.addressBytes()
	if parent != nil {
		parent.Envelope = envelope
		return
	}
	s := p.structure
	s.Envelope = envelope
	s.Date = parseDate(h.values[date])
	if ids := messageIDs(h.values[messageID]); len(ids) > 0 {
		s.MessageID = ids[0]
	}
	s.InReplyTo = messageIDs(h.values[inReplyTo])
	s.References = messageIDs(h.values[references])
}

func (h *header) envelope() *Envelope {
	made := new(struct {
		Envelope
		date, subject, inReplyTo, messageID string
	})
	e := &made.Envelope
	*e = Envelope{
		Date:      h.text(date, &made.date),
		Subject:   h.text(subject, &made.subject),
		InReplyTo: h.text(inReplyTo, &made.inReplyTo),
		MessageID: h.text(messageID, &made.messageID),
		From:      parseAddresses(h.values[from]),
		Sender:    parseAddresses(h.values[sender]),
		ReplyTo:   parseAddresses(h.values[replyTo]),
		To:        parseAddresses(h.values[to]),
		Cc:        parseAddresses(h.values[cc]),
		Bcc:       parseAddresses(h.values[bcc]),
	}
	// RFC 9051 7.5.2: absent or empty, they are From.
	if e.Sender == nil {
		e.Sender = e.From
	}
	if e.ReplyTo == nil {
		e.ReplyTo = e.From
	}
	return e
}

// text puts the value of a field into its place, if there is one.
func (h *header) text(f field, place *string) *string {
	if !h.present[f] {
		return nil
	}
	*place = h.values[f]
	return place
}

// addressBytes estimates what the records of the addresses cost.
func (e *Envelope) addressBytes() int {
	return 16 * (len(e.From) + len(e.Sender) + len(e.ReplyTo) + len(e.To) + len(e.Cc) + len(e.Bcc))
}
