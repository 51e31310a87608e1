package bench

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"mime"
	"mime/quotedprintable"
	"strings"
	"time"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/encoding/unicode"
)

// tongue is a language with a charset that mail of it comes in.
type tongue struct {
	charset  string
	encoding encoding.Encoding
	sample   string
}

// tongues are drawn from at random; English, in ASCII, is most of the mail.
var tongues = []tongue{
	{"utf-8", unicode.UTF8, "Schöne Grüße aus Köln, wir hören uns übermorgen. Größe und Maß sind bekannt."},
	{"utf-8", unicode.UTF8, "Η πτήση αναχωρεί αύριο το πρωί και επιστρέφει την Κυριακή."},
	{"utf-8", unicode.UTF8, "会議は明日の午後三時からです。資料を添付します。"},
	{"iso-8859-1", charmap.ISO8859_1, "L'été dernier, nous avons visité la forêt près du château où naquit le poète."},
	{"iso-8859-15", charmap.ISO8859_15, "El precio será de 1.500 € al año; mañana enviaré el presupuesto."},
	{"windows-1252", charmap.Windows1252, "The “final” version – at last – costs € 40… don’t lose it."},
	{"windows-1251", charmap.Windows1251, "Добрый день, высылаю договор и счёт за прошлый месяц."},
	{"koi8-r", charmap.KOI8R, "Встреча переносится на понедельник, сообщите остальным."},
	{"iso-2022-jp", japanese.ISO2022JP, "お世話になっております。来週の予定を確認してください。"},
	{"shift_jis", japanese.ShiftJIS, "請求書を送りますので、ご確認をお願いします。"},
	{"gb2312", simplifiedchinese.GBK, "请查收附件中的报告，如有问题请联系我们。"},
	{"big5", traditionalchinese.Big5, "會議紀錄已經整理完成，請參考附件。"},
	{"euc-kr", korean.EUCKR, "안녕하세요, 회의 일정을 확인해 주세요."},
}

// dictionary are made-up words, the frequent ones first.
var dictionary = makeDictionary()

func makeDictionary() []string {
	r := rand.New(rand.NewPCG(1, 2))
	starts := strings.Fields("b br c ch d dr f fl g gr h k l m n p pl r s st t tr th w")
	middles := strings.Fields("a e i o u ai ea ou ie")
	ends := strings.Fields("n r s t l m ck nd st ng ter ble ment ing ed ly")
	var words []string
	seen := make(map[string]bool)
	for len(words) < 4000 {
		w := ""
		for range 1 + r.IntN(3) {
			w += starts[r.IntN(len(starts))] + middles[r.IntN(len(middles))]
		}
		if w += ends[r.IntN(len(ends))]; !seen[w] {
			seen[w] = true
			words = append(words, w)
		}
	}
	return words
}

// word draws a word; the distribution is like that of a language.
func word(r *rand.Rand) string {
	f := r.Float64()
	return dictionary[int(f*f*f*float64(len(dictionary)))]
}

func phrase(r *rand.Rand, words int) string {
	all := make([]string, words)
	for i := range all {
		all[i] = word(r)
	}
	return strings.Join(all, " ")
}

// header writes the fields of message i, those of its content excepted.
func (c corpus) header(b *bytes.Buffer, i int, r *rand.Rand) {
	date := c.date(i)
	for hop := range 1 + r.IntN(3) {
		fmt.Fprintf(b, "Received: from mx%d.bench.example (mx%d.bench.example [192.0.2.%d])\r\n\tby in.bench.example with ESMTPS id %08x;\r\n\t%s\r\n",
			hop, hop, r.IntN(250), r.Uint32(), date.Format(time.RFC1123Z))
	}
	fmt.Fprintf(b, "Date: %s\r\nFrom: %s\r\nTo: %s\r\n", date.Format(time.RFC1123Z), person(r.IntN(100)), person(100+r.IntN(10)))
	if r.IntN(4) == 0 {
		fmt.Fprintf(b, "Cc: %s,\r\n %s\r\n", person(r.IntN(100)), person(r.IntN(100)))
	}
	thread, before := c.thread(i)
	fmt.Fprintf(b, "Subject: %s\r\nMessage-ID: %s\r\n", c.subject(thread, len(before) > 0), c.id(i))
	if n := len(before); n > 0 {
		fmt.Fprintf(b, "In-Reply-To: %s\r\nReferences:", c.id(before[n-1]))
		for _, j := range before {
			b.WriteString("\r\n " + c.id(j))
		}
		b.WriteString("\r\n")
	}
	b.WriteString("MIME-Version: 1.0\r\n")
	if r.IntN(3) == 0 {
		fmt.Fprintf(b, "DKIM-Signature: v=1; a=rsa-sha256; d=bench.example; s=s1; h=from:to:subject;\r\n\tb=%s\r\n", strings.TrimSpace(random64(r, 40)))
		fmt.Fprintf(b, "List-Id: <%s.lists.bench.example>\r\nX-Mailer: bench %d\r\n", word(r), r.IntN(9))
	}
}

// person is the address of one of the people.
func person(n int) string {
	first := strings.ToUpper(dictionary[n*3+1][:1]) + dictionary[n*3+1][1:]
	switch {
	case n == 42:
		first = wordFrom
	case n%7 == 3:
		first = mime.QEncoding.Encode("utf-8", "Jürgen "+first)
	}
	return fmt.Sprintf("%s %s <%s%d@%s.example>", first, dictionary[n*5+2], strings.ToLower(dictionary[n*3+1]), n, dictionary[n*11%50+20])
}

// subject is that of a thread.
func (c corpus) subject(thread int, reply bool) string {
	r := rand.New(rand.NewPCG(c.seed+7, uint64(int64(thread))))
	s := phrase(r, 2+r.IntN(6))
	if r.IntN(200) == 0 {
		s += " " + wordSubject
	}
	if r.IntN(6) == 0 {
		t := tongues[r.IntN(len(tongues))]
		sample := []rune(t.sample)
		if raw, err := t.encoding.NewEncoder().String(string(sample[:min(12, len(sample))])); err == nil {
			s = mime.BEncoding.Encode(t.charset, raw) + " " + s
		}
	}
	if reply {
		s = "Re: " + s
	}
	return s
}

// writer writes the content of one message.
type writer struct {
	b     *bytes.Buffer
	r     *rand.Rand
	index int
}

// prose makes about size bytes of text, with the planted words of this message in it.
func (w *writer) prose(size int) string {
	var s strings.Builder
	if w.index%rareEvery == rareAt {
		s.WriteString("Thus spoke " + wordRare + ".\r\n")
	}
	if w.index%commonEvery == commonAt {
		s.WriteString("Mind the " + wordCommon + ".\r\n")
	}
	for s.Len() < size {
		s.WriteString(phrase(w.r, 8+w.r.IntN(5)))
		s.WriteString(".\r\n")
		if w.r.IntN(6) == 0 {
			s.WriteString("\r\n")
		}
	}
	return s.String()
}

// text writes one text part with its fields.
func (w *writer) text(size int) {
	if w.r.IntN(4) > 0 {
		fmt.Fprintf(w.b, "Content-Type: text/plain; charset=us-ascii\r\n\r\n%s", w.prose(size))
		return
	}
	t := tongues[w.r.IntN(len(tongues))]
	text := t.sample + "\r\n"
	text += w.prose(size - len(text))
	raw, err := t.encoding.NewEncoder().String(text)
	switch {
	case err != nil:
		fmt.Fprintf(w.b, "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n%s", text)
	case t.charset == "iso-2022-jp":
		fmt.Fprintf(w.b, "Content-Type: text/plain; charset=iso-2022-jp\r\nContent-Transfer-Encoding: 7bit\r\n\r\n%s", raw)
	case w.r.IntN(2) == 0:
		fmt.Fprintf(w.b, "Content-Type: text/plain; charset=%s\r\nContent-Transfer-Encoding: base64\r\n\r\n%s", t.charset, base64Lines([]byte(raw)))
	default:
		fmt.Fprintf(w.b, "Content-Type: text/plain; charset=%s\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n", t.charset)
		q := quotedprintable.NewWriter(w.b)
		_, _ = q.Write([]byte(raw)) // a bytes.Buffer takes everything
		_ = q.Close()
		w.b.WriteString("\r\n")
	}
}

func (w *writer) boundary() string { return fmt.Sprintf("=_%x_%d", w.r.Uint32(), w.index) }

// alternative writes text and the same as HTML.
func (w *writer) alternative(size int) {
	limit := w.boundary()
	fmt.Fprintf(w.b, "Content-Type: multipart/alternative; boundary=\"%s\"\r\n\r\n--%s\r\n", limit, limit)
	w.text(size / 3)
	fmt.Fprintf(w.b, "\r\n--%s\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n<html><body>\r\n", limit)
	for end := w.b.Len() + size*2/3; w.b.Len() < end; {
		fmt.Fprintf(w.b, "<p class=\"%s\" style=\"margin:0\">%s</p>\r\n", word(w.r), phrase(w.r, 12))
	}
	fmt.Fprintf(w.b, "</body></html>\r\n--%s--\r\n", limit)
}

// attachments writes a text and one to three files.
func (w *writer) attachments(size int) {
	limit := w.boundary()
	fmt.Fprintf(w.b, "Content-Type: multipart/mixed; boundary=\"%s\"\r\n\r\n--%s\r\n", limit, limit)
	text := min(size/4, 8000)
	w.alternative(text)
	kinds := []string{"application/pdf", "image/jpeg", "application/zip", "application/vnd.ms-excel"}
	n := 1 + w.r.IntN(3)
	for range n {
		kind := kinds[w.r.IntN(len(kinds))]
		name := word(w.r)
		fmt.Fprintf(w.b, "\r\n--%s\r\nContent-Type: %s; name=\"%s.bin\"\r\nContent-Disposition: attachment; filename=\"%s.bin\"\r\nContent-Transfer-Encoding: base64\r\n\r\n",
			limit, kind, name, name)
		w.b.WriteString(random64(w.r, (size-text)/n*72/100))
	}
	fmt.Fprintf(w.b, "\r\n--%s--\r\n", limit)
}

// random64 is the base64 of random bytes.
func random64(r *rand.Rand, size int) string {
	raw := make([]byte, size)
	for i := 0; i < len(raw); i += 8 {
		v := r.Uint64()
		for k := i; k < min(i+8, len(raw)); k++ {
			raw[k] = byte(v)
			v >>= 8
		}
	}
	return base64Lines(raw)
}

func base64Lines(raw []byte) string {
	const lineBytes = 57
	var s strings.Builder
	for len(raw) > 0 {
		n := min(lineBytes, len(raw))
		s.WriteString(base64.StdEncoding.EncodeToString(raw[:n]))
		s.WriteString("\r\n")
		raw = raw[n:]
	}
	return s.String()
}
