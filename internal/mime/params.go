package mime

import "strings"

// parseParams splits "value; name=value; ..." (RFC 2045 5.1): value is what stands before
// the parameters, in lower case and without comments.
func parseParams(s string) (value string, params []Param) {
	l := &lexer{s: s}
	l.skip()
	start := l.i
	value = l.token()
	end := l.i
	l.skip()
	if l.peek() == '/' {
		l.i++
		l.skip()
		if subtype := l.token(); l.i-start == len(value)+1+len(subtype) {
			value = s[start:l.i] // nothing in between
		} else {
			value = s[start:end] + "/" + subtype
		}
	}
	return lowerString(value), l.params()
}

// splitMediaType splits "type/subtype". ok is false when it isn't that.
func splitMediaType(value string) (mediaType, subtype string, ok bool) {
	mediaType, subtype, _ = strings.Cut(value, "/")
	return mediaType, subtype, mediaType != "" && subtype != ""
}

// params reads the parameters, from before the first semicolon. What can't be one is passed
// over; a missing or a second semicolon does no harm.
func (l *lexer) params() []Param {
	var found rawParams
	for {
		l.skip()
		name := l.token()
		l.skip()
		switch {
		case l.done():
			return found.params()
		case l.peek() == '=' && name != "":
			l.i++
			l.skip()
			if l.peek() == '"' {
				found.add(name, l.quoted())
			} else {
				found.add(name, l.loose())
			}
		case l.peek() == '"':
			l.quoted() // A semicolon in it separates nothing.
		case name == "" || !isTokenByte(l.peek()):
			l.i++ // a semicolon or garbage
		}
	}
}

// parseDisposition reads Content-Disposition (RFC 2183).
func parseDisposition(s string) (disposition string, params []Param) {
	l := &lexer{s: s}
	l.skip()
	disposition = l.token()
	l.skip()
	if l.peek() == '=' && disposition != "" {
		// "filename=x" alone. RFC 2183 2.8: what is not known is an attachment.
		l.i, disposition = 0, "attachment"
	}
	params = l.params()
	if disposition == "" && params != nil {
		disposition = "attachment"
	}
	return lowerString(disposition), params
}

// parseLanguages reads Content-Language: tags separated by commas (RFC 3282).
func parseLanguages(s string) []string {
	var tags []string
	l := &lexer{s: s}
	for len(tags) < languagesMax {
		l.skip()
		if l.done() {
			break
		}
		if tag := l.token(); tag != "" {
			tags = append(tags, tag)
		} else {
			l.i++
		}
	}
	return tags
}

// firstToken returns the first token in lower case, or "".
func firstToken(s string) string {
	l := &lexer{s: s}
	l.skip()
	return lowerString(l.token())
}
