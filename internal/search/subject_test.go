package search

import (
	"regexp"
	"strings"
	"testing"
)

func TestBaseSubject(t *testing.T) {
	for _, c := range []struct {
		text, base string
		reply      bool
	}{
		{"", "", false},
		{"Lunch", "Lunch", false},
		{"re: Lunch", "Lunch", true},
		{"Re[2]: Lunch", "Lunch", true},
		{"RE : Lunch", "Lunch", true},
		{"fw: Lunch", "Lunch", true},
		{"FWD: Re: fwd: Lunch", "Lunch", true},
		{"Lunch (fwd)", "Lunch", true},
		{"Lunch (FWD) (fwd)  ", "Lunch", true},
		{"[list] Lunch", "Lunch", false},
		{"[list] Re: [other] Lunch", "Lunch", true},
		{"Re: [list] Re: Lunch", "Lunch", true},
		{"[a][b] [c]Lunch", "Lunch", false},
		{"[list]", "[list]", false},
		{"[a] [b]", "[b]", false},
		{"Re: [list]", "[list]", true},
		{"Re:", "", true},
		{"Re: (fwd)", "", true},
		{"(fwd)", "", true},
		{"[Fwd: Lunch]", "Lunch", true},
		{"[Fwd: Re: Lunch (fwd)]", "Lunch", true},
		{"[fwd:[fwd: Lunch] (fwd)]", "Lunch", true},
		{"[fwd:]", "", true},
		{"[fwd: Lunch", "[fwd: Lunch", false},
		{"[Fwd: a] b", "b", false}, // a blob like any other
		{"Reply", "Reply", false},
		{"Re Lunch: x", "Re Lunch: x", false},
		{"Aw: Lunch", "Aw: Lunch", false}, // RFC 5256 7: no translations
		{"Lunch\t \r\n\tat  noon", "Lunch at noon", false},
		{"[un[nested] x", "[un[nested] x", false},
		{"re [x] : y", "y", true},
		{"re [x] [z] : y", "re [x] [z] : y", false},
	} {
		if base, reply := baseSubject(c.text); base != c.base || reply != c.reply {
			t.Errorf("%q becomes %q, %v", c.text, base, reply)
		}
	}
}

// The rules of RFC 5256 5 as regular expressions, and its procedure step by step.
var (
	white   = regexp.MustCompile(`[ \t\r\n]+`)
	trailer = regexp.MustCompile(`(?i)(\(fwd\)|[ \t])$`)
	blobs   = `(\[[^\[\]\x00]*\][ \t]*)`
	leader  = regexp.MustCompile(`(?i)^(` + blobs + `*(re|fwd?)[ \t]*` + blobs + `?:|[ \t])`)
	oneBlob = regexp.MustCompile(`^` + blobs)
	forward = regexp.MustCompile(`(?is)^\[fwd:(.*)\]$`)
)

func slowBaseSubject(s string) (string, bool) {
	s = white.ReplaceAllString(s, " ")
	reply := false
	for {
		for trailer.MatchString(s) {
			reply = reply || s[len(s)-1] == ')'
			s = trailer.ReplaceAllString(s, "")
		}
		for before := "\x00"; before != s; {
			before = s
			if m := leader.FindString(s); m != "" {
				reply = reply || strings.HasSuffix(m, ":")
				s = s[len(m):]
				continue
			}
			if m := oneBlob.FindString(s); m != "" && len(m) < len(s) {
				s = s[len(m):]
			}
		}
		m := forward.FindStringSubmatch(s)
		if m == nil {
			return s, reply
		}
		s, reply = m[1], true
	}
}

func FuzzBaseSubject(f *testing.F) {
	f.Add("Re: [x] Fwd: [fwd: y (fwd)] z")
	f.Add("[a][b][fwd:[c]]")
	f.Fuzz(func(t *testing.T, s string) {
		if strings.ContainsRune(s, '\x00') || len(s) > 200 {
			return
		}
		base, reply := baseSubject(s)
		if again, more := baseSubject(base); again != base || more {
			t.Errorf("%q becomes %q, then %q", s, base, again)
		}
		if slow, replies := slowBaseSubject(s); slow != base || reply != replies {
			t.Errorf("%q becomes %q, %v, want %q, %v", s, base, reply, slow, replies)
		}
	})
}
