package imap

import (
	"strings"
	"testing"
	"time"

	"postfach/internal/mailbox"
)

// RFC 9051 6.3.9.
func TestNamePattern(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		matches       bool
	}{
		{"", "", true},
		{"", "a", false},
		{"*", "", true},
		{"%", "", true},
		{"*", "a/b/c", true},
		{"%", "a", true},
		{"%", "a/b", false},
		{"%/%", "a/b", true},
		{"%/%", "a/b/c", false},
		{"a/*", "a/b/c", true},
		{"a/*", "a", false},
		{"a*", "a", true},
		{"*a", "ba", true},
		{"*a", "ab", false},
		{"%a%", "xax", true},
		{"%a%", "x/a", false},
		{"*%", "a/b", true},
		{"%*", "a/b", true},
		{"%%", "a/b", false},
		{"a%c*e", "abc/d/e", true},
		{"a%c*e", "a/c/e", false},
		{"abc", "abc", true},
		{"abc", "ABC", false},
		{"inbox", "INBOX", true},
		{"InBox/*", "INBOX/a", true},
		{"inbox/A", "INBOX/a", false},
		{"%box", "INBOX", true},
		{"inboxes", "INBOXES", false},
		{"&AOQ-", "&AOQ-", true},
		{"ä%", "äö", true},
		{strings.Repeat("x", 70) + "%y", strings.Repeat("x", 70) + "zzy", true},
		{strings.Repeat("x", 64) + "*", strings.Repeat("x", 64), true},
		{strings.Repeat("x", 63) + "*", strings.Repeat("x", 63), true},
		{strings.Repeat("x", patternBytesMax+1), "x", false},
		{"*" + strings.Repeat("x", patternBytesMax+1), strings.Repeat("x", patternBytesMax+1), false},
	} {
		if got := newNamePattern(c.pattern).matches(c.name); got != c.matches {
			t.Errorf("pattern %.80q, name %.80q: %v", c.pattern, c.name, got)
		}
	}
}

// plainMatch is the definition, as slow as it may be.
func plainMatch(pattern, name string, at, anyCase int) bool {
	if pattern == "" {
		return at == len(name)
	}
	rest := at < len(name)
	switch c := pattern[0]; {
	case c == '*' || c == '%':
		return plainMatch(pattern[1:], name, at, anyCase) ||
			rest && (c == '*' || name[at] != mailbox.Delimiter) && plainMatch(pattern, name, at+1, anyCase)
	case rest && (c == name[at] || at < anyCase && strings.EqualFold(pattern[:1], name[at:at+1])):
		return plainMatch(pattern[1:], name, at+1, anyCase)
	}
	return false
}

func FuzzNamePattern(f *testing.F) {
	f.Add("a%c*e", "abc/d/e")
	f.Add("%/%*x", "INBOX/x")
	f.Add("inb*", "INBOX")
	f.Fuzz(func(t *testing.T, pattern, name string) {
		if len(pattern) > 12 || len(name) > 12 {
			return // the plain one takes too long
		}
		anyCase := 0
		if name == mailbox.Inbox || strings.HasPrefix(name, mailbox.Inbox+"/") {
			anyCase = len(mailbox.Inbox)
		}
		for _, c := range []byte(pattern) {
			if c >= 0x80 {
				return // EqualFold of half a character says nothing
			}
		}
		if got, want := newNamePattern(pattern).matches(name), plainMatch(pattern, name, 0, anyCase); got != want {
			t.Fatalf("pattern %q, name %q: %v", pattern, name, got)
		}
	})
}

// TestNamePatternTakesNoTime matches the longest names against what makes others
// try for years.
func TestNamePatternTakesNoTime(t *testing.T) {
	name := strings.Repeat("a", 1000)
	p := newNamePattern(strings.Repeat("*a", 500) + "b")
	began := time.Now()
	for range 1000 {
		if p.matches(name) {
			t.Fatal("matches")
		}
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Fatalf("took %v", took)
	}
}
