package mime

import (
	"strings"
	"sync"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/ianaindex"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
)

// Charset is a charset that somebody has named: nothing is repaired or guessed in it.
type Charset struct {
	encoding encoding.Encoding // nil: UTF-8
	ascii    bool              // US-ASCII
}

// LookupCharset finds a charset by any name that is registered for it, or that HTML has.
func LookupCharset(name string) (c Charset, ok bool) {
	name = lowerString(name)
	switch {
	case name == "utf-8" || name == "utf8":
		return Charset{}, true
	case name == "us-ascii" || name == "ascii" || name == "ansi_x3.4-1968":
		return Charset{ascii: true}, true
	case len(name) > 64:
		return Charset{}, false
	}
	if e, err := ianaindex.IANA.Encoding(name); err == nil && e != nil {
		return Charset{encoding: e}, true
	}
	if e, err := htmlindex.Get(name); err == nil && e != encoding.Replacement {
		return Charset{encoding: e}, true
	}
	return Charset{}, false
}

// Foreign tells whether text in the charset may mean something else in UTF-8.
func (c Charset) Foreign() bool { return c.encoding != nil }

// Decode turns text in the charset to UTF-8, false when it is no text in it.
func (c Charset) Decode(text []byte) (string, bool) {
	switch {
	case c.ascii:
		for _, b := range text {
			if b >= utf8.RuneSelf {
				return "", false
			}
		}
		return string(text), true
	case c.encoding == nil:
		return string(text), utf8.Valid(text)
	}
	// What is not in the charset becomes U+FFFD, which nobody has reason to write.
	decoded, err := c.encoding.NewDecoder().Bytes(text)
	return string(decoded), err == nil && !strings.ContainsRune(string(decoded), utf8.RuneError)
}

// Charsets are the names of all charsets that LookupCharset finds, each by the one that mail
// uses.
var Charsets = sync.OnceValue(func() []string {
	names := []string{"US-ASCII", "UTF-8"}
	known := map[string]bool{names[0]: true, names[1]: true}
	for _, all := range [][]encoding.Encoding{charmap.All, japanese.All, korean.All, simplifiedchinese.All, traditionalchinese.All} {
		for _, e := range all {
			name, err := ianaindex.MIME.Name(e)
			if _, ok := LookupCharset(name); err == nil && ok && !known[name] {
				known[name] = true
				names = append(names, name)
			}
		}
	}
	return names
})
