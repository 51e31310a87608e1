package lmtp

import (
	"strconv"
	"strings"
)

// mail begins a transaction (RFC 5321 4.1.1.2).
func (s *session) mail(argument string) {
	switch {
	case s.client == "":
		s.bad(503, "5.5.1", "say LHLO first")
		return
	case s.begun:
		s.bad(503, "5.5.1", "there is a sender already")
		return
	}
	path, ok := cutKeyword(argument, "FROM:")
	address, params, valid := cutPath(path)
	if !ok || !valid {
		s.bad(501, "5.5.2", "expected MAIL FROM:<address>")
		return
	}
	t := transaction{begun: true, from: address}
	if a := s.parameters(&t, params); a.code != 0 {
		s.bad(a.code, a.enhanced, a.text)
		return
	}
	switch {
	case !validReverse(address):
		s.bad(553, "5.1.7", "not a mail address")
	case !t.utf8 && !isASCII(address):
		s.bad(553, "5.6.7", "the address needs SMTPUTF8") // RFC 6531 3.5
	default:
		s.transaction = t
		s.good(250, "2.1.0", "sender taken")
	}
}

// parameters reads the parameters of MAIL. A zero answer: all is well.
func (s *session) parameters(t *transaction, params []string) answer {
	seen := map[string]bool{}
	for _, p := range params {
		keyword, value, has := strings.Cut(p, "=")
		keyword = strings.ToUpper(keyword)
		if seen[keyword] {
			return answer{501, "5.5.4", "a parameter comes twice"}
		}
		seen[keyword] = true
		switch keyword {
		case "BODY": // RFC 6152 2
			if v := strings.ToUpper(value); v != "7BIT" && v != "8BITMIME" {
				return answer{501, "5.5.4", "expected BODY=7BIT or BODY=8BITMIME"}
			}
		case "SIZE": // RFC 1870 4
			n, err := strconv.ParseUint(value, 10, 64)
			if err != nil || len(value) > 20 {
				return answer{501, "5.5.4", "expected SIZE=number"}
			}
			if n > uint64(s.srv.o.Delivery.SizeMax()) {
				return answer{552, "5.3.4", "the message is too big"} // RFC 1870 6.1
			}
		case "SMTPUTF8": // RFC 6531 3.4
			if has {
				return answer{501, "5.5.4", "SMTPUTF8 has no value"}
			}
			t.utf8 = true
		default:
			return answer{555, "5.5.4", "unknown parameter"} // RFC 5321 4.1.1.11
		}
	}
	return answer{}
}

// rcpt adds a recipient (RFC 5321 4.1.1.3).
func (s *session) rcpt(argument string) {
	if !s.begun || s.transfer != nil || s.spoiled {
		s.bad(503, "5.5.1", "say MAIL first")
		return
	}
	path, ok := cutKeyword(argument, "TO:")
	address, params, valid := cutPath(path)
	switch {
	case !ok || !valid || address == "":
		s.bad(501, "5.5.2", "expected RCPT TO:<address>")
		return
	case len(params) > 0:
		s.bad(555, "5.5.4", "unknown parameter")
		return
	case !s.utf8 && !isASCII(address):
		s.bad(553, "5.6.7", "the address needs SMTPUTF8") // RFC 6531 3.5
		return
	case len(s.recipients) >= s.limits.RecipientsMax:
		s.reply(452, "4.5.3", "too many recipients for one message") // RFC 5321 4.5.3.1.10
		return
	}
	r, err := s.srv.o.Delivery.Resolve(s.ctx, address)
	if err != nil {
		if isFault(err) {
			s.srv.o.Env.Log.Warn("recipient not resolved", "err", err)
		}
		s.badInRow = 0 // an unknown user is no bad command
		s.replyTo(err)
		return
	}
	s.recipients = append(s.recipients, r)
	s.good(250, "2.1.5", "recipient taken")
}
