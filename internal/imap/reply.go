package imap

import (
	"errors"
	"fmt"

	"postfach/internal/mail"
	"postfach/internal/wire"
)

// refusal is a tagged NO or BAD that a handler has chosen itself.
type refusal struct {
	status string // "NO" or "BAD"
	code   string // response code without brackets, or empty
	text   string
}

func (r *refusal) Error() string { return r.status + " " + r.text }

func isRefusal(err error) bool {
	var r *refusal
	return errors.As(err, &r)
}

// no refuses a command that was understood.
func no(code, text string) error { return &refusal{"NO", code, text} }

// bad refuses a command that makes no sense.
func bad(text string) error { return &refusal{"BAD", "", text} }

// answers is the one table from kinds of errors to responses (RFC 9051 7.1, RFC
// 5530). An empty text means that the error's own is for the client.
var answers = map[mail.Kind]refusal{
	mail.NotFound:    {"NO", "NONEXISTENT", ""},
	mail.Exists:      {"NO", "ALREADYEXISTS", ""},
	mail.Denied:      {"NO", "NOPERM", ""},
	mail.Invalid:     {"NO", "CANNOT", ""},
	mail.Conflict:    {"NO", "INUSE", "try again"},
	mail.Busy:        {"NO", "INUSE", "too much is under way, try again"},
	mail.OverQuota:   {"NO", "OVERQUOTA", ""},
	mail.TooBig:      {"NO", "TOOBIG", ""},
	mail.Limit:       {"NO", "LIMIT", ""},
	mail.Expunged:    {"NO", "EXPUNGEISSUED", ""},
	mail.Unsupported: {"NO", "CANNOT", ""},
	mail.Unavailable: {"NO", "UNAVAILABLE", "the mail store is not available, try again later"},
	mail.Away:        {"NO", "UNAVAILABLE", "the mail store is not available, try again later"},
	mail.Elsewhere:   {"NO", "UNAVAILABLE", "the account has just moved, connect again"},
	mail.Corrupt:     {"NO", "CORRUPTION", "the message can't be read"},
}

// answer turns the outcome of a command into its tagged response. Details of what
// is not the client's doing go to the log, under an id that the client gets.
func (s *session) answer(err error) refusal {
	var r *refusal
	if errors.As(err, &r) {
		return *r
	}
	if a, ok := syntaxAnswer(err); ok {
		return a
	}
	var e *mail.Error
	if errors.As(err, &e) {
		if a, ok := answers[e.Kind]; ok {
			if e.Cause != nil {
				s.log().Warn("command refused", "kind", e.Kind.String(), "err", err)
			}
			if a.text == "" {
				a.text = e.Text
			}
			if a.text == "" {
				a.text = e.Kind.String()
			}
			return a
		}
	}
	id := s.faultID()
	s.log().Error("internal error", "fault", id, "err", err)
	return refusal{"NO", "SERVERBUG", "internal error " + id}
}

// syntaxAnswer answers what was wrong with the bytes of a command.
func syntaxAnswer(err error) (refusal, bool) {
	var big *wire.TooBigError
	var limit *wire.LimitError
	var syntax *wire.SyntaxError
	switch {
	case errors.As(err, &syntax):
		return refusal{"BAD", "", fmt.Sprintf("expected %s at %d", syntax.Expected, syntax.At)}, true
	case errors.As(err, &big):
		return refusal{"BAD", "TOOBIG", big.Error()}, true
	case errors.As(err, &limit):
		return refusal{"BAD", "LIMIT", limit.Error()}, true
	case errors.Is(err, wire.ErrLineTooLong), errors.Is(err, wire.ErrBareLF), errors.Is(err, wire.ErrNUL):
		return refusal{"BAD", "", err.Error()}, true
	}
	return refusal{}, false
}

// tagged writes the tagged response of the current command.
func (s *session) tagged(status, code, text string) {
	s.w.Bytes(s.tag).SP().Raw(status).SP()
	s.respText(code, text)
}

// untagged writes an untagged status response.
func (s *session) untagged(status, code, text string) {
	s.w.Raw("* ").Raw(status).SP()
	s.respText(code, text)
}

func (s *session) respText(code, text string) {
	if code != "" {
		s.w.Byte('[').Raw(code).Raw("] ")
	}
	s.w.Text(text).CRLF()
}
