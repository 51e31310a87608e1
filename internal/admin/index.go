package admin

import (
	"context"
	"fmt"
	"net/http"

	"postfach/internal/mail"
	"postfach/internal/search"
)

// IndexRequest says what is to be done with text indexes.
type IndexRequest struct {
	Names   []string `json:"names"`   // of accounts; none: all
	Rebuild bool     `json:"rebuild"` // else only tell how far they are
}

// Index implements Service.
func (l *Local) Index(ctx context.Context, q IndexRequest, tell func(line string)) error {
	if l.Indexer == nil {
		return mail.Errorf(mail.Unsupported, "this server has no text index")
	}
	accounts, err := l.named(ctx, q.Names)
	if err != nil {
		return err
	}
	for _, a := range accounts {
		if q.Rebuild {
			if err := l.Indexer.Rebuild(ctx, a.ID); err != nil {
				return about(a.Name, err)
			}
		}
		s, err := l.Indexer.Status(ctx, a.ID)
		if err != nil {
			return about(a.Name, err)
		}
		tell(a.Name + ": " + indexLine(s))
	}
	return nil
}

func indexLine(s search.Status) string {
	line := fmt.Sprintf("%d messages in %d segments, %d bytes for %d bytes of text", s.Messages, s.Segments, s.Bytes, s.TextBytes)
	if s.Missing > 0 {
		line += fmt.Sprintf("; not yet: %d", s.Missing)
	}
	return line
}

// named returns the accounts with these names, or all.
func (l *Local) named(ctx context.Context, names []string) (accounts []mail.Account, err error) {
	for _, name := range names {
		a, err := l.find(ctx, name)
		if err != nil {
			return nil, err
		}
		accounts = append(accounts, a)
	}
	if len(names) > 0 {
		return accounts, nil
	}
	for a, err := range l.engine.Store().Accounts(ctx) {
		if err != nil {
			return nil, err
		}
		accounts = append(accounts, a)
	}
	return accounts, nil
}

func serveIndex(s Service, w http.ResponseWriter, r *http.Request) {
	var q IndexRequest
	if err := read(w, r, &q); err != nil {
		answer(w, nil, err)
		return
	}
	answerLines(w, func(tell func(string)) error { return s.Index(r.Context(), q, tell) })
}

// Index implements Service.
func (c *Client) Index(ctx context.Context, q IndexRequest, tell func(string)) error {
	return c.lines(ctx, "/index", q, tell)
}
