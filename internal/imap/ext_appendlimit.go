package imap

import (
	"math"
	"strconv"

	"postfach/internal/wire"
)

// extAppendLimit tells how large a message can be (RFC 7889): the same for all
// mailboxes.
var extAppendLimit = family{
	name: "APPENDLIMIT",
	rfc:  "RFC 7889",
	doc:  "Tells how large a message can be.",
	capabilities: []capability{
		{word: "APPENDLIMIT=", value: func(s *session) string { return strconv.FormatInt(s.appendLimit(), 10) }, when: loggedIn},
	},
	statusItems: []statusItem{
		{name: "APPENDLIMIT", write: func(w *wire.Writer, st *statusOf) { w.Number64(uint64(st.session.appendLimit())) }},
	},
	codes: []string{"TOOBIG"},
}

// appendLimit is a number of 32 bits (RFC 7889 5).
func (s *session) appendLimit() int64 {
	return min(s.server.engine.Limits().MessageBytesMax, math.MaxUint32)
}
