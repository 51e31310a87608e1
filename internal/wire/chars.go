package wire

// The grammar's classes of characters (RFC 9051 9), as bits of a table.
const (
	atomChar    = 1 << iota // ATOM-CHAR
	astringChar             // ASTRING-CHAR: ATOM-CHAR / "]"
	tagChar                 // ASTRING-CHAR except "+"
	listChar                // ASTRING-CHAR / "%" / "*"
	labelChar               // tagged-label-char: letters, digits, "-_.:"
	digitChar
	quotedChar // TEXT-CHAR that stands for itself between quotes
)

var chars = classify()

func classify() (t [256]uint8) {
	for c := 0x01; c < 0x80; c++ {
		if c != '\r' && c != '\n' && c != '"' && c != '\\' {
			t[c] |= quotedChar
		}
	}
	for c := 0x21; c < 0x7f; c++ {
		switch c {
		case '(', ')', '{', '"', '\\': // none
		case '%', '*':
			t[c] |= listChar
		case ']':
			t[c] |= astringChar | tagChar | listChar
		case '+':
			t[c] |= atomChar | astringChar | listChar
		default:
			t[c] |= atomChar | astringChar | tagChar | listChar
		}
	}
	for c := '0'; c <= '9'; c++ {
		t[c] |= digitChar | labelChar
	}
	for c := 'a'; c <= 'z'; c++ {
		t[c] |= labelChar
		t[c-'a'+'A'] |= labelChar
	}
	for _, c := range "-_.:" {
		t[c] |= labelChar
	}
	return t
}

// Is tells whether b is the word, which is given in capitals, in any mix of
// ASCII upper and lower case (RFC 9051 9, note 1).
func Is(b []byte, word string) bool {
	if len(b) != len(word) {
		return false
	}
	for i, c := range b {
		if upper(c) != word[i] {
			return false
		}
	}
	return true
}

func upper(c byte) byte {
	if 'a' <= c && c <= 'z' {
		return c - ('a' - 'A')
	}
	return c
}

// allOf tells whether s is one or more characters of the class.
func allOf(class uint8, s string) bool {
	for i := range len(s) {
		if chars[s[i]]&class == 0 {
			return false
		}
	}
	return s != ""
}
