package mime

import (
	"strings"
	"testing"
)

// example is the message of RFC 9051 6.4.5.1; every body says its number.
var example = crlf(`Subject: outer
Content-Type: multipart/mixed; boundary=a

--a
Content-Type: text/plain

is 1
--a
Content-Type: application/octet-stream

is 2
--a
Content-Type: message/rfc822

Subject: of 3
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/plain

is 3.1
--b
Content-Type: application/octet-stream

is 3.2
--b--
--a
Content-Type: multipart/mixed; boundary=c

--c
Content-Type: image/gif

is 4.1
--c
Content-Type: message/rfc822

Subject: of 4.2
Content-Type: multipart/mixed; boundary=d

--d
Content-Type: text/plain

is 4.2.1
--d
Content-Type: multipart/alternative; boundary=e

--e
Content-Type: text/plain

is 4.2.2.1
--e
Content-Type: text/richtext

is 4.2.2.2
--e--
--d--
--c--
--a--
`)

func TestRange(t *testing.T) {
	s := parse(example)
	check(t, s, int64(len(example)))
	for _, test := range []struct {
		path    []int
		section Section
		want    string // the beginning, or "NO"
		end     string
	}{
		{nil, SectionBody, "Subject: outer\r\n", "--a--\r\n"},
		{nil, SectionHeader, "Subject: outer\r\n", "boundary=a\r\n\r\n"},
		{nil, SectionText, "--a\r\n", "--a--\r\n"},
		{nil, SectionMIME, "NO", ""},
		{[]int{1}, SectionBody, "is 1", "is 1"},
		{[]int{1}, SectionMIME, "Content-Type: text/plain\r\n\r\n", "\r\n\r\n"},
		{[]int{1}, SectionHeader, "NO", ""},
		{[]int{1}, SectionText, "NO", ""},
		{[]int{1, 1}, SectionBody, "NO", ""},
		{[]int{2}, SectionBody, "is 2", "is 2"},
		{[]int{3}, SectionBody, "Subject: of 3\r\n", "--b--"},
		{[]int{3}, SectionMIME, "Content-Type: message/rfc822\r\n\r\n", "\r\n\r\n"},
		{[]int{3}, SectionHeader, "Subject: of 3\r\n", "boundary=b\r\n\r\n"},
		{[]int{3}, SectionText, "--b\r\n", "--b--"},
		{[]int{3, 1}, SectionBody, "is 3.1", "is 3.1"},
		{[]int{3, 2}, SectionBody, "is 3.2", "is 3.2"},
		{[]int{3, 3}, SectionBody, "NO", ""},
		{[]int{4}, SectionBody, "--c\r\n", "--c--"},
		{[]int{4}, SectionText, "NO", ""},
		{[]int{4, 1}, SectionBody, "is 4.1", "is 4.1"},
		{[]int{4, 1}, SectionMIME, "Content-Type: image/gif\r\n\r\n", "\r\n\r\n"},
		{[]int{4, 2}, SectionHeader, "Subject: of 4.2\r\n", "boundary=d\r\n\r\n"},
		{[]int{4, 2}, SectionText, "--d\r\n", "--d--"},
		{[]int{4, 2, 1}, SectionBody, "is 4.2.1", "is 4.2.1"},
		{[]int{4, 2, 2}, SectionBody, "--e\r\n", "--e--"},
		{[]int{4, 2, 2, 1}, SectionBody, "is 4.2.2.1", "is 4.2.2.1"},
		{[]int{4, 2, 2, 2}, SectionBody, "is 4.2.2.2", "is 4.2.2.2"},
		{[]int{0}, SectionBody, "NO", ""},
		{[]int{-1}, SectionBody, "NO", ""},
		{[]int{5}, SectionBody, "NO", ""},
	} {
		checkRange(t, example, test.path, test.section, test.want, test.end)
	}
}

func checkRange(t *testing.T, message string, path []int, section Section, want, end string) {
	t.Helper()
	r, ok := parse(message).Range(path, section)
	if !ok {
		if want != "NO" {
			t.Errorf("%v %d: no range", path, section)
		}
		return
	}
	got := message[r.Start:r.End]
	if want == "NO" || !strings.HasPrefix(got, want) || !strings.HasSuffix(got, end) || r.Len() != int64(len(got)) {
		t.Errorf("%v %d: %q, want %q ... %q", path, section, got, want, end)
	}
}

// A message that is not multipart has part 1; a message in the message's place has its parts below 1.
func TestRangeOfSinglePart(t *testing.T) {
	simple := crlf("Subject: s\n\nbody\n")
	checkRange(t, simple, []int{1}, SectionBody, "body\r\n", "body\r\n")
	checkRange(t, simple, []int{1}, SectionMIME, "Subject: s\r\n\r\n", "\r\n\r\n")
	checkRange(t, simple, []int{2}, SectionBody, "NO", "")
	checkRange(t, simple, []int{1, 1}, SectionBody, "NO", "")

	forward := crlf("Content-Type: message/rfc822\n\nSubject: in\n\nbody\n")
	checkRange(t, forward, []int{1}, SectionBody, "Subject: in\r\n\r\nbody", "body\r\n")
	checkRange(t, forward, []int{1}, SectionHeader, "Subject: in\r\n\r\n", "in\r\n\r\n")
	checkRange(t, forward, []int{1, 1}, SectionBody, "body\r\n", "body\r\n")
	checkRange(t, forward, []int{1, 1, 1}, SectionBody, "NO", "")
	checkRange(t, forward, []int{2}, SectionBody, "NO", "")
}
