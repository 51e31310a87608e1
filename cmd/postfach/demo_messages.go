package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"postfach/internal/mail"
)

// demoPeople write to each other.
var demoPeople = []string{
	"Anna Lindqvist <anna@garden.example>", "Björn Ødegård <bjorn@fjord.example>", "Zoë Müller <zoe@zug.example>",
	"山田 花子 <hanako@tabi.example>", "Олена Шевченко <olena@misto.example>", "Mateo García <mateo@sol.example>",
	"\"O'Brien, Pat\" <pat@shop.example>", "Ferah Yılmaz <ferah@kitap.example>",
}

const demoSelf = "Demo <demo@postfach.example>"

var demoSubjects = []string{
	"Lunch on Thursday?", "Your order has shipped", "Rückfrage zur Rechnung №4711", "Réunion de l’équipe – ordre du jour",
	"来週の旅行について", "Фотографії з подорожі", "Photos from the weekend 📷", "Minutes of the meeting", "Dinner, 8 pm?",
	"Çay saati", "A very long subject that goes on and on so that it has to be folded over more than one line of the header, as some do",
}

var demoParagraphs = []string{
	"Thank you for your message. I have read it twice and I think you are right about the second point.",
	"The tomatoes are doing well this year; the beans are not. I blame the snails, they blame the weather.",
	"Wir treffen uns um zehn vor dem Bahnhof. Bitte bring die Karte mit, und etwas gegen den Regen – man weiß ja nie.",
	"Le train part à 9 h 12. J’ai réservé deux places côté fenêtre.",
	"駅の前で十時に会いましょう。傘を忘れないでください。",
	"Зустрінемося о десятій біля вокзалу. Візьми, будь ласка, парасольку.",
	"> You wrote:\r\n> Is anybody there?\r\n\r\nYes.",
	".A line that begins with a dot, and one that is long: " + "word word word word word word word word word word word word word word word word word word word word",
}

// demoKind makes the body of one kind of message.
type demoKind struct {
	name string
	body func(r *rand.Rand) (header, body string)
}

var demoKinds = []demoKind{
	{"plain", demoPlain}, {"flowed", demoFlowed}, {"html", demoHTML}, {"alternative", demoAlternative}, {"latin1", demoLatin1},
	{"attachment", demoAttachment}, {"forwarded", demoForwarded}, {"nested", demoNested}, {"invitation", demoInvitation},
}

// demoMessages makes all messages, the oldest first.
func demoMessages(r *rand.Rand, now time.Time) []demoMessage {
	var all []demoMessage
	for _, m := range []struct {
		mailbox string
		count   int
	}{{"INBOX", 120}, {"Archive", 60}, {"Sent", 40}, {"Drafts", 3}, {"Junk", 10}, {"Trash", 12},
		{"Lists/Gophers", 80}, {"Lists/Gardening", 25}, {"Travel", 12}, {"Idées", 5}, {"旅行", 6}} {
		all = append(all, demoMailbox(r, m.mailbox, m.count, now)...)
	}
	return all
}

func demoMailbox(r *rand.Rand, mailbox string, count int, now time.Time) []demoMessage {
	var all []demoMessage
	var thread []string // the message ids of the conversation so far
	var subject string
	date := now.Add(-time.Duration(count) * 37 * time.Hour)
	for i := range count {
		date = date.Add(time.Duration(1+r.IntN(70)) * time.Hour)
		if date.After(now) {
			date = now.Add(-time.Duration(count-i) * time.Minute)
		}
		if len(thread) == 0 || r.IntN(3) == 0 {
			thread, subject = nil, demoSubjects[r.IntN(len(demoSubjects))]
		}
		h := demoHeader{from: demoPeople[r.IntN(len(demoPeople))], to: demoSelf, subject: subject, date: date,
			id: fmt.Sprintf("<%d.%08x@postfach.example>", i, r.Uint32()), references: slices.Clone(thread)}
		h.shape(mailbox, r)
		kind := demoKinds[i%len(demoKinds)]
		m := demoMessage{mailbox: mailbox, date: date, raw: h.message(kind.body(r))}
		m.system, m.keywords = demoFlags(mailbox, r, count-i)
		all = append(all, m)
		thread = append(thread, h.id)
	}
	return all
}

// demoFlags chooses flags as they are found in such a mailbox; the newest are unseen.
func demoFlags(mailbox string, r *rand.Rand, fromEnd int) (system mail.Flags, keywords []string) {
	if mailbox == "Sent" || mailbox == "Archive" || fromEnd > 10 || r.IntN(2) == 0 {
		system |= mail.Seen
	}
	switch {
	case mailbox == "Drafts":
		system |= mail.Draft
	case mailbox == "Junk":
		keywords = append(keywords, "$Junk")
	case r.IntN(6) == 0:
		system |= mail.Flagged
	case r.IntN(5) == 0:
		system |= mail.Answered
	case r.IntN(8) == 0:
		keywords = append(keywords, "$Forwarded")
	case r.IntN(10) == 0:
		keywords = append(keywords, "$Label1", "Family")
	}
	return system, keywords
}
