package bench

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"net/mail"
	"strings"
	"testing"
)

// TestCorpus checks that the mail is valid, varied, of the promised sizes, and the same each time.
func TestCorpus(t *testing.T) {
	for _, c := range []struct {
		corpus
		least, most int
	}{{corpus{Notes, 1}, 500, 4000}, {corpus{Letters, 1}, 900, 40_000}, {corpus{Mixed, 1}, 500, 2_400_000}} {
		types := make(map[string]bool)
		ids := make(map[string]bool)
		for i := range 400 {
			b := c.message(i)
			if !bytes.Equal(b, c.message(i)) {
				t.Fatalf("message %d is another one the second time", i)
			}
			if len(b) < c.least || len(b) > c.most {
				t.Errorf("message %d of kind %d has %d bytes", i, c.kind, len(b))
			}
			if strings.Count(string(b), "\n") != strings.Count(string(b), "\r\n") || strings.Count(string(b), "\r") != strings.Count(string(b), "\n") {
				t.Errorf("message %d has other line ends than CRLF", i)
			}
			if !bytes.HasSuffix(b, []byte("\r\n")) {
				t.Errorf("message %d ends with %q", i, b[len(b)-10:])
			}
			m, err := mail.ReadMessage(bytes.NewReader(b))
			if err != nil {
				t.Fatalf("message %d: %v", i, err)
			}
			if _, err := m.Header.AddressList("From"); err != nil {
				t.Errorf("message %d: %v", i, err)
			}
			ids[m.Header.Get("Message-ID")] = true
			kind, _, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
			if err != nil {
				t.Errorf("message %d: %v", i, err)
			}
			types[kind] = true
		}
		if len(ids) != 400 || len(types) < int(c.kind)+1 {
			t.Errorf("kind %d: %d ids, types %v", c.kind, len(ids), types)
		}
	}
}

// TestThreads checks that messages refer to earlier ones with the same subject.
func TestThreads(t *testing.T) {
	c := corpus{Notes, 1}
	subjects := make(map[string]string)
	replies := 0
	for i := range 1000 {
		m, err := mail.ReadMessage(bytes.NewReader(c.message(i)))
		if err != nil {
			t.Fatal(err)
		}
		subjects[m.Header.Get("Message-ID")] = m.Header.Get("Subject")
		to := m.Header.Get("In-Reply-To")
		if to == "" {
			continue
		}
		replies++
		if first, ok := subjects[to]; !ok || strings.TrimPrefix(first, "Re: ") != strings.TrimPrefix(m.Header.Get("Subject"), "Re: ") {
			t.Errorf("message %d, %q, answers %q", i, m.Header.Get("Subject"), first)
		}
	}
	if replies < 300 || replies > 900 {
		t.Errorf("%d of 1,000 are replies", replies)
	}
}

// TestPlanted counts the words that searches look for.
func TestPlanted(t *testing.T) {
	for _, word := range dictionary {
		for _, planted := range []string{wordRare, wordCommon, wordAbsent, wordSubject, wordFrom} {
			if strings.Contains(word, strings.ToLower(planted)) {
				t.Errorf("%q is in the dictionary", planted)
			}
		}
	}
	rare, common, from := 0, 0, 0
	const n = 4000
	for i := range n {
		w := &writer{b: new(bytes.Buffer), index: i}
		text := w.prose(0)
		rare += strings.Count(text, wordRare)
		common += strings.Count(text, wordCommon)
		m, err := mail.ReadMessage(bytes.NewReader(corpus{Notes, 1}.message(i)))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, m.Body)
		from += strings.Count(m.Header.Get("From"), wordFrom)
	}
	if got := fmt.Sprint(rare, " ", common); got != fmt.Sprint(n/rareEvery, " ", n/commonEvery) || from < n/200 || from > n/50 {
		t.Errorf("%s and %d senders", got, from)
	}
}
