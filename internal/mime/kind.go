package mime

// isMessage reports whether the part's type is one whose inside IMAP shows
// (RFC 9051 9, media-message).
func (p *Part) isMessage() bool {
	return p.Type == "message" && (p.Subtype == "rfc822" || p.Subtype == "global")
}

// opaque makes the part a file that is not looked into (RFC 2045 6.4).
func (p *Part) opaque() {
	p.Type, p.Subtype, p.Params = "application", "octet-stream", withoutBoundary(p.Params)
}

// textual makes a multipart that has no parts the text that it is: IMAP has no multipart
// without parts (RFC 9051 9, body-type-mpart).
func (p *Part) textual() {
	p.Type, p.Subtype, p.Params = "text", "plain", defaultParams()
}

// defaultParams are those of a part that does not say what it is: RFC 2045 5.2.
func defaultParams() []Param { return []Param{{"charset", "us-ascii"}} }

func withoutBoundary(params []Param) []Param {
	var kept []Param
	for _, p := range params {
		if p.Name != "boundary" && p.Name != "boundary*" {
			kept = append(kept, p)
		}
	}
	return kept
}

// stringBytes estimates what the part's strings and lists cost.
func (p *Part) stringBytes() int {
	n := len(p.ID) + len(p.Description) + len(p.MD5) + len(p.Location) + len(p.Disposition)
	for _, params := range [...][]Param{p.Params, p.DispositionParams} {
		for _, q := range params {
			n += len(q.Name) + len(q.Value) + 8
		}
	}
	for _, tag := range p.Language {
		n += len(tag) + 4
	}
	return n
}

// hasAttachment reports whether a mail program would offer the part, or one below it,
// as a file.
func hasAttachment(part, parent *Part) bool {
	switch {
	case part.Disposition == "attachment":
		return true
	case part.Type == "multipart":
		for _, child := range part.Children {
			if hasAttachment(child, part) {
				return true
			}
		}
		return false
	case parent == nil:
		return part.Type != "text" && part.Type != "multipart"
	}
	switch part.Type + "/" + part.Subtype {
	case "application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature",
		"application/pgp-encrypted", "text/rfc822-headers":
		return false // parts of the machinery, shown as a state and not as a file
	}
	named := param(part.DispositionParams, "filename") != "" || param(part.Params, "name") != ""
	switch {
	case part.Type == "text":
		return named && part.Disposition != "inline"
	case part.Disposition == "inline" && part.Type == "image":
		return false
	case parent.Subtype == "related" && parent.Children[0] != part:
		return false // a picture of the text beside it
	case parent.Subtype == "alternative":
		return false // another form of the text
	}
	return true
}
