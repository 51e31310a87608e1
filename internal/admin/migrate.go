package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"

	"postfach/internal/mail"
)

// Migration says between which stores accounts move: the server's own data directory and
// another one.
type Migration struct {
	Store string `json:"store"` // the other store, as --store names it
	Blobs string `json:"blobs"` // as --blobs names it
	Back  bool   `json:"back"`  // from the other store to the data directory
	Deep  bool   `json:"deep"`  // read every message back
}

// Migrator moves accounts and tells what it does, in lines for people. The end of the
// context is a clean stop: what has moved has moved.
type Migrator func(ctx context.Context, m Migration, tell func(string)) error

// Migrate implements Service.
func (l *Local) Migrate(ctx context.Context, m Migration, tell func(string)) error {
	if l.Migrator == nil {
		return mail.Errorf(mail.Unsupported, "this server has no data directory")
	}
	return l.Migrator(ctx, m, tell)
}

// report is a line of an answer that takes long. The last one has Done or a fault.
type report struct {
	Text  string `json:"text,omitempty"`
	Done  bool   `json:"done,omitempty"`
	Fault *fault `json:"fault,omitempty"`
}

func serveMigration(s Service, w http.ResponseWriter, r *http.Request) {
	var m Migration
	if err := read(w, r, &m); err != nil {
		answer(w, nil, err)
		return
	}
	answerLines(w, func(tell func(string)) error { return s.Migrate(r.Context(), m, tell) })
}

// answerLines sends what is told as it comes.
func answerLines(w http.ResponseWriter, do func(tell func(line string)) error) {
	out := json.NewEncoder(w)
	say := func(line report) {
		// A client that has gone ends the request's context.
		_ = out.Encode(line)
		_ = http.NewResponseController(w).Flush()
	}
	if err := do(func(text string) { say(report{Text: text}) }); err != nil {
		say(report{Fault: &fault{Kind: mail.KindOf(err).String(), Text: err.Error()}})
		return
	}
	say(report{Done: true})
}

// Migrate implements Service.
func (c *Client) Migrate(ctx context.Context, m Migration, tell func(string)) error {
	return c.lines(ctx, "/migrate", m, tell)
}

// lines does one request and tells what comes as it comes.
func (c *Client) lines(ctx context.Context, path string, value any, tell func(string)) error {
	b, err := json.Marshal(value)
	if err != nil {
		return mail.Wrap(mail.Internal, err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://postfach"+path, bytes.NewReader(b))
	if err != nil {
		return mail.Wrap(mail.Internal, err)
	}
	response, err := c.http.Do(r)
	if err != nil {
		return errNoAnswer(err)
	}
	defer response.Body.Close()
	in := json.NewDecoder(response.Body)
	for {
		var line report
		if err := in.Decode(&line); err != nil {
			return errNoAnswer(err)
		}
		switch {
		case line.Fault != nil:
			return mail.Errorf(kindNamed(line.Fault.Kind), "%s", line.Fault.Text)
		case line.Done:
			return nil
		}
		tell(line.Text)
	}
}

func errNoAnswer(cause error) error {
	return &mail.Error{Kind: mail.Unavailable, Text: "the server did not answer: nobody knows what it has done", Cause: cause}
}
