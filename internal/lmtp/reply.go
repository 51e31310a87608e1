package lmtp

import (
	"errors"
	"strconv"

	"postfach/internal/mail"
)

// reply writes one reply. enhanced is the status code of RFC 3463, none in the greeting (RFC
// 2034 3). Write errors come up at the next flush.
func (s *session) reply(code int, enhanced, text string) {
	b := append(strconv.AppendInt(s.conn.w.AvailableBuffer(), int64(code), 10), ' ')
	if enhanced != "" {
		b = append(append(b, enhanced...), ' ')
	}
	s.conn.w.Write(append(append(b, text...), "\r\n"...))
}

// good replies to a command that was in order.
func (s *session) good(code int, enhanced, text string) {
	s.badInRow = 0
	s.reply(code, enhanced, text)
}

// bad replies to a command that makes no sense; too many in a row are the end.
func (s *session) bad(code int, enhanced, text string) {
	s.reply(code, enhanced, text)
	if s.badInRow++; s.badInRow >= s.limits.BadCommandsMax {
		s.bye("too many bad commands")
	}
}

// bye ends the session from our side (RFC 5321 3.8).
func (s *session) bye(reason string) {
	s.reply(421, "4.3.2", reason)
	s.over = errors.New(reason)
}

// answer is a reply as a value.
type answer struct {
	code     int
	enhanced string
	text     string
}

// answerTo maps a delivery's error to a reply. What may pass by itself is a 4xx, so that the
// MTA keeps the message and tries again: a full account too.
func answerTo(err error) answer {
	var e *mail.Error
	text := ""
	if errors.As(err, &e) {
		text = e.Text
	}
	or := func(otherwise string) string {
		if text == "" {
			return otherwise
		}
		return text
	}
	switch mail.KindOf(err) {
	case mail.NotFound:
		return answer{550, "5.1.1", or("no such user")}
	case mail.Invalid:
		return answer{553, "5.1.3", or("not a mail address")}
	case mail.Denied:
		return answer{550, "5.7.1", or("not allowed")}
	case mail.OverQuota:
		return answer{452, "4.2.2", or("the account is full")}
	case mail.Limit:
		return answer{452, "4.2.0", or("the mailbox takes no more messages")}
	case mail.TooBig:
		return answer{552, "5.3.4", or("the message is too big")}
	case mail.Busy:
		return answer{451, "4.3.2", or("too busy, try again later")}
	case mail.Unavailable, mail.Away, mail.Elsewhere:
		return answer{451, "4.3.0", "the store is away, try again later"}
	}
	return answer{451, "4.3.0", "internal fault, try again later"}
}

func (s *session) replyTo(err error) {
	a := answerTo(err)
	s.reply(a.code, a.enhanced, a.text)
}

// isFault tells errors that the administrator has to know of.
func isFault(err error) bool {
	switch mail.KindOf(err) {
	case mail.Unavailable, mail.Away, mail.Internal, mail.Corrupt:
		return err != nil
	}
	return false
}
