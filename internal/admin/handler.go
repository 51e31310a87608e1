package admin

import (
	"encoding/json"
	"net/http"

	"postfach/internal/mail"
)

// requestBytesMax bounds a request that is not a message.
const requestBytesMax = 256 << 20

// fault is an error on its way through the socket.
type fault struct {
	Kind string `json:"kind"`
	Text string `json:"text"`
}

// NewHandler makes the server's side of the socket.
func NewHandler(s Service) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /accounts", func(w http.ResponseWriter, r *http.Request) {
		all, err := s.List(r.Context())
		answer(w, all, err)
	})
	mux.HandleFunc("POST /accounts", func(w http.ResponseWriter, r *http.Request) {
		var accounts []NewAccount
		err := read(w, r, &accounts)
		if err == nil {
			err = s.Add(r.Context(), accounts)
		}
		answer(w, nil, err)
	})
	mux.HandleFunc("POST /password", func(w http.ResponseWriter, r *http.Request) {
		var a NewAccount
		err := read(w, r, &a)
		if err == nil {
			err = s.SetPassword(r.Context(), a.Name, a.Password)
		}
		answer(w, nil, err)
	})
	mux.HandleFunc("POST /remove", func(w http.ResponseWriter, r *http.Request) {
		var a NewAccount
		err := read(w, r, &a)
		if err == nil {
			err = s.Remove(r.Context(), a.Name)
		}
		answer(w, nil, err)
	})
	mux.HandleFunc("POST /deliver", func(w http.ResponseWriter, r *http.Request) {
		answer(w, nil, s.Deliver(r.Context(), r.URL.Query().Get("to"), r.Body))
	})
	mux.HandleFunc("POST /migrate", func(w http.ResponseWriter, r *http.Request) { serveMigration(s, w, r) })
	mux.HandleFunc("POST /index", func(w http.ResponseWriter, r *http.Request) { serveIndex(s, w, r) })
	return mux
}

func read(w http.ResponseWriter, r *http.Request, to any) error {
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, requestBytesMax)).Decode(to); err != nil {
		return &mail.Error{Kind: mail.Invalid, Text: "the request can't be read", Cause: err}
	}
	return nil
}

// answer sends the result, or the error. The socket's users are administrators: they see
// the cause too.
func answer(w http.ResponseWriter, result any, err error) {
	w.Header().Set("Content-Type", "application/json")
	if err != nil {
		w.WriteHeader(http.StatusUnprocessableEntity)
		result = fault{Kind: mail.KindOf(err).String(), Text: err.Error()}
	}
	// The client has gone when this fails; there is nobody to tell.
	_ = json.NewEncoder(w).Encode(result)
}
