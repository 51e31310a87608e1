package main

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"html"
	"math/rand/v2"
	"mime"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"time"
)

// demoHeader is the header of a message.
type demoHeader struct {
	from, to, subject, id string
	date                  time.Time
	references            []string
	more                  string // whole lines
}

// shape gives a message what others in the mailbox have.
func (h *demoHeader) shape(mailbox string, r *rand.Rand) {
	if r.IntN(4) == 0 {
		h.more += "Cc: " + demoAddress(demoPeople[r.IntN(len(demoPeople))]) + ",\r\n\tStaff: someone@postfach.example, \"x, y\" <xy@postfach.example>;\r\n"
	}
	switch {
	case mailbox == "Sent" || mailbox == "Drafts":
		h.from, h.to = demoSelf, h.from
	case strings.HasPrefix(mailbox, "Lists/"):
		name := strings.ToLower(strings.TrimPrefix(mailbox, "Lists/"))
		h.to = name + "@lists.example"
		h.more += "List-Id: <" + name + ".lists.example>\r\nList-Post: <mailto:" + name + "@lists.example>\r\nPrecedence: list\r\n"
		h.subject = "[" + name + "] " + h.subject
	}
}

// demoAddress encodes an address for a header field.
func demoAddress(s string) string {
	a, err := mail.ParseAddress(s)
	if err != nil {
		return s
	}
	return a.String()
}

// message puts header and body together.
func (h *demoHeader) message(typeFields, body string) []byte {
	var b bytes.Buffer
	subject := h.subject
	if n := len(h.references); n > 0 {
		subject = "Re: " + subject
		h.more += "In-Reply-To: " + h.references[n-1] + "\r\nReferences: " + strings.Join(h.references, "\r\n ") + "\r\n"
	}
	fmt.Fprintf(&b, "Date: %s\r\nFrom: %s\r\nTo: %s\r\n", h.date.Format(time.RFC1123Z), demoAddress(h.from), demoAddress(h.to))
	fmt.Fprintf(&b, "Subject: %s\r\nMessage-ID: %s\r\n%sMIME-Version: 1.0\r\n", demoFold(subject), h.id, h.more)
	fmt.Fprintf(&b, "%s\r\n%s", typeFields, body)
	return b.Bytes()
}

// demoFold encodes a subject (RFC 2047) and folds it.
func demoFold(subject string) string {
	encoded := mime.QEncoding.Encode("utf-8", subject)
	encoded = strings.ReplaceAll(encoded, "?= =?", "?=\r\n =?")
	if len(encoded) > 78 && !strings.Contains(encoded, "\r\n") {
		if i := strings.LastIndexByte(encoded[:70], ' '); i > 0 {
			encoded = encoded[:i] + "\r\n" + encoded[i:]
		}
	}
	return encoded
}

func demoText(r *rand.Rand) string {
	var b strings.Builder
	for range 1 + r.IntN(5) {
		b.WriteString(demoParagraphs[r.IntN(len(demoParagraphs))] + "\r\n\r\n")
	}
	return b.String() + "-- \r\nsent by the demo\r\n"
}

func demoQuoted(text string) string {
	var b bytes.Buffer
	w := quotedprintable.NewWriter(&b)
	// Writes to a buffer don't fail.
	_, _ = w.Write([]byte(text))
	_ = w.Close()
	return b.String()
}

func demoBase64(data []byte) string {
	encoded := base64.StdEncoding.EncodeToString(data)
	var b strings.Builder
	for ; len(encoded) > 76; encoded = encoded[76:] {
		b.WriteString(encoded[:76] + "\r\n")
	}
	return b.String() + encoded + "\r\n"
}

func demoPlain(r *rand.Rand) (header, body string) {
	return "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n", demoText(r)
}

func demoFlowed(r *rand.Rand) (header, body string) {
	return "Content-Type: text/plain; charset=\"UTF-8\"; format=flowed\r\nContent-Transfer-Encoding: quoted-printable\r\n", demoQuoted(demoText(r))
}

func demoHTML(r *rand.Rand) (header, body string) {
	page := "<!DOCTYPE html><html><body><h1>News</h1><p>" + strings.ReplaceAll(html.EscapeString(demoText(r)), "\r\n\r\n", "</p>\r\n<p>") +
		"</p><p><a href=\"https://postfach.example/?a=1&amp;b=2\">read on</a></p></body></html>\r\n"
	return "Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n", demoBase64([]byte(page))
}

func demoLatin1(r *rand.Rand) (header, body string) {
	text := "Sch\xf6ne Gr\xfc\xdfe aus K\xf6ln!\r\nBis bald, vielleicht schon n\xe4chste Woche.\r\n"
	return "Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n", demoQuoted(text)
}

// demoMultipart joins parts, each a header and a body as the functions above
// return them.
func demoMultipart(r *rand.Rand, subtype string, parts ...[2]string) (header, body string) {
	boundary := fmt.Sprintf("=_%08x_%s", r.Uint32(), subtype)
	var b strings.Builder
	b.WriteString("This is a message in several parts.\r\n")
	for _, p := range parts {
		b.WriteString("\r\n--" + boundary + "\r\n" + p[0] + "\r\n" + p[1])
	}
	b.WriteString("\r\n--" + boundary + "--\r\n")
	return fmt.Sprintf("Content-Type: multipart/%s; boundary=\"%s\"\r\n", subtype, boundary), b.String()
}

func demoPart(header, body string) [2]string { return [2]string{header, body} }

func demoAlternative(r *rand.Rand) (header, body string) {
	return demoMultipart(r, "alternative", demoPart(demoFlowed(r)), demoPart(demoHTML(r)))
}

func demoAttachment(r *rand.Rand) (header, body string) {
	data := make([]byte, 500+r.IntN(60_000))
	for i := range data {
		data[i] = byte(r.Uint32())
	}
	file := "Content-Type: application/pdf;\r\n name*=utf-8''Rechnung%20M%C3%A4rz.pdf\r\nContent-Transfer-Encoding: base64\r\n" +
		"Content-Disposition: attachment; filename*0*=utf-8''Rechnung%20;\r\n filename*1*=M%C3%A4rz.pdf\r\n"
	return demoMultipart(r, "mixed", demoPart(demoAlternative(r)), demoPart(file, demoBase64(data)))
}

func demoForwarded(r *rand.Rand) (header, body string) {
	h := demoHeader{from: demoPeople[r.IntN(len(demoPeople))], to: demoSelf, subject: "Forwarded: " + demoSubjects[r.IntN(len(demoSubjects))],
		id: fmt.Sprintf("<fwd.%08x@postfach.example>", r.Uint32()), date: time.Date(2024, 2, 29, 12, 0, 0, 0, time.FixedZone("", 5*3600+1800))}
	inner := h.message(demoAlternative(r))
	return demoMultipart(r, "mixed", demoPart(demoPlain(r)), demoPart("Content-Type: message/rfc822\r\nContent-Disposition: inline\r\n", string(inner)))
}

func demoNested(r *rand.Rand) (header, body string) {
	h := demoHeader{from: demoPeople[r.IntN(len(demoPeople))], to: demoSelf, subject: "Deep inside", id: "<deep@postfach.example>",
		date: time.Date(2023, 12, 31, 23, 59, 59, 0, time.UTC)}
	inner := h.message(demoForwarded(r))
	digest := demoPart("", string(inner)) // in a digest a part without a type is a message (RFC 2046 5.1.5)
	header, body = demoMultipart(r, "digest", digest, digest)
	return demoMultipart(r, "mixed", demoPart(demoPlain(r)), demoPart(header, body))
}

func demoInvitation(r *rand.Rand) (header, body string) {
	calendar := "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//postfach//demo//EN\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:" +
		fmt.Sprint(r.Uint32()) + "@postfach.example\r\nDTSTAMP:20240101T000000Z\r\nDTSTART:20240301T090000Z\r\nSUMMARY:Tea\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
	part := demoPart("Content-Type: text/calendar; method=REQUEST; charset=utf-8\r\nContent-Transfer-Encoding: 7bit\r\n", calendar)
	return demoMultipart(r, "alternative", demoPart(demoPlain(r)), part)
}
