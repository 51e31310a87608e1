package search

import (
	"context"
	"encoding/base64"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"postfach/internal/mail"
)

// language is a vocabulary whose words are as frequent as those of real texts are.
type language struct {
	words []string
	r     *rand.Rand
}

// letterPairs is what letters follow a letter in English, roughly: so trigrams are as
// frequent as they are there.
var letterPairs = map[byte]string{
	' ': "tttaaoisswwcbphfmdrelngu", 'a': "nntttrrlllscdmbgpiyvukw", 'b': "eeelouaryisj", 'c': "ooohheeaakttilruc", 'd': "eeeeiiaosurdy",
	'e': "rrrrnnnsssdddaaatllcmvexpyfgi", 'f': "ooriieafut", 'g': "eehhraoiunsl", 'h': "eeeeeeaaaiiotru", 'i': "nnnnntttssscolldgemravfbp",
	'j': "uoea", 'k': "eeisnl", 'l': "eeelliiaayodtsfu", 'm': "eeeaaooipbmsu", 'n': "dddgggtttteeeossicaknuyv", 'o': "nnnrrruuufmmtllwoospvdck",
	'p': "eerraaoollpitshu", 'q': "u", 'r': "eeeeaaiiooostdymnukglr", 's': "tttteeeiihosauspcmklw", 't': "hhhhheeeiiooatrrsuyltw", 'u': "rrnnsstttlpcmdgeiab",
	'v': "eeeeiiao", 'w': "aaiiehhonrs", 'x': "ptiace", 'y': "oesitpma", 'z': "eeaiz",
}

func newLanguage(seed uint64) *language {
	l := &language{r: rand.New(rand.NewPCG(seed, 2))}
	for len(l.words) < 40_000 {
		n := 1 + int(math.Abs(l.r.NormFloat64()*2.2)+math.Log10(float64(len(l.words)+1)))
		w := []byte{' '}
		for range n + 1 {
			next := letterPairs[w[len(w)-1]]
			w = append(w, next[l.r.IntN(len(next))])
		}
		l.words = append(l.words, string(w[1:]))
	}
	return l
}

// word draws a word: the n-th is drawn in proportion to 1/n.
func (l *language) word() string {
	return l.words[int(math.Exp(l.r.Float64()*math.Log(float64(len(l.words)))))-1]
}

func (l *language) text(words int) string {
	var b strings.Builder
	width := 0
	for range words {
		w := l.word()
		if l.r.IntN(12) == 0 {
			w = strings.ToUpper(w[:1]) + w[1:] + []string{".", ",", "", "?"}[l.r.IntN(4)]
		}
		if width += len(w) + 1; width > 72 {
			b.WriteString("\r\n")
			width = 0
		}
		b.WriteString(w + " ")
	}
	return b.String()
}

func (l *language) person(n int) string {
	w := l.words[1000+n]
	return strings.ToUpper(w[:1]) + w[1:] + " " + l.words[3000+n] + " <" + w + "@" + l.words[5000+n/8] + ".example>"
}

// mail is a message as a person gets them.
func (l *language) mail(n int) []byte {
	r := l.r
	random := make([]byte, 128)
	for i := range random {
		random[i] = byte(r.Uint32())
	}
	from := l.person(int(math.Exp(r.Float64()*6.2)) - 1)
	host := from[strings.LastIndexByte(from, '@')+1 : len(from)-1]
	date := time.Unix(1.6e9+int64(n)*300, 0).UTC()
	var b strings.Builder
	fmt.Fprintf(&b, "Return-Path: %s\r\n", from[strings.IndexByte(from, '<'):])
	fmt.Fprintf(&b, "Received: from mail.%s (mail.%s [192.0.%d.%d])\r\n\tby mx.home.example with ESMTPS id %x\r\n\tfor <anna@home.example>; %s\r\n", host, host, r.IntN(256), r.IntN(256), random[:6], date.Format(time.RFC1123Z))
	if n%2 == 0 {
		fmt.Fprintf(&b, "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=%s; s=mail;\r\n\th=from:to:subject:date;\r\n\tb=%s\r\n", host, base64.StdEncoding.EncodeToString(random))
	}
	fmt.Fprintf(&b, "Date: %s\r\nFrom: %s\r\nTo: Anna Lind <anna@home.example>\r\nSubject: %s\r\nMessage-ID: <%x.%d@%s>\r\n", date.Format(time.RFC1123Z), from, l.text(2+r.IntN(6)), random[6:14], n, host)
	if n%4 == 0 {
		fmt.Fprintf(&b, "Cc: %s\r\n", l.person(r.IntN(400)))
	}
	text := l.text(40 + int(math.Exp(r.Float64()*7.2)))
	if r.IntN(50) == 0 {
		text += " zweihundert"
	}
	fmt.Fprintf(&b, "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n%s\r\n", text)
	return []byte(b.String())
}

// fill appends n messages as people get them.
func (r *indexRig) fill(l *language, n int) {
	for n > 0 {
		var some [][]byte
		for range min(n, 500) {
			some = append(some, l.mail(len(r.rows)+len(some)))
		}
		n -= len(some)
		r.append(some...)
	}
}

var sizeMessages = flag.Int("search.size", 3300, "messages in the account whose size for searching is looked at")

// What is stored for searching, sorting and threading is at most half as large as the text that
// can be found.
func TestIndexSize(t *testing.T) {
	store := inMem
	if *sizeMessages > 10_000 {
		store = inPebble
	}
	r := newIndexRig(t, store(t))
	r.lean = true
	r.restart()
	l := newLanguage(1)
	for range 3 {
		r.fill(l, *sizeMessages/3)
		r.update()
	}
	s := r.status()
	facts := r.factsBytes()
	percent := func(n int64) float64 { return 100 * float64(n) / float64(s.TextBytes) }
	t.Logf("%d messages, %d segments, %d bytes of text; stored: index %d bytes (%.1f %%), facts %d bytes (%.1f %%), together %.1f %%",
		s.Messages, s.Segments, s.TextBytes, s.Bytes, percent(s.Bytes), facts, percent(facts), percent(s.Bytes+facts))
	if s.Missing != 0 || 2*(s.Bytes+facts) > s.TextBytes {
		t.Errorf("%+v", s)
	}
}

// factsBytes is what is stored of the facts of all messages.
func (r *indexRig) factsBytes() int64 {
	s := new(sizeShelf)
	library := NewLibrary(1) // no room: all is written
	for first := 0; first < len(r.rows); first += chunkMessages {
		known := library.Known(Owner{Account: rigAccount}, s, func() Opener { return r })
		r.must(known.Load(r.Context(), func(yield func(mail.MessageID) bool) {
			for n := max(1, first); n < min(first+chunkMessages, len(r.rows)) && yield(mail.MessageID(n)); n++ {
			}
		}))
		if save := known.Save(func(context.Context) error { return nil }); save != nil {
			r.must(save(r.Context()))
		}
	}
	return s.bytes
}

// sizeShelf counts the bytes that are written.
type sizeShelf struct{ bytes int64 }

func (s *sizeShelf) Derived(context.Context, string) ([]byte, error) {
	return nil, mail.Errorf(mail.NotFound, "none")
}

func (s *sizeShelf) PutDerived(_ context.Context, key string, value []byte) error {
	s.bytes += int64(len(key) + len(value))
	return nil
}

func (s *sizeShelf) DropDerived(context.Context, string) error { return nil }
