package imap

import (
	"postfach/internal/wire"
)

// extStatusSize tells how many bytes a mailbox takes (RFC 8438, RFC 9051 6.3.11).
var extStatusSize = family{
	name: "STATUS=SIZE",
	rfc:  "RFC 8438",
	doc:  "STATUS tells the sum of the sizes of all messages of a mailbox.",
	capabilities: []capability{
		{word: "STATUS=SIZE", when: loggedIn},
	},
	statusItems: []statusItem{
		{name: "SIZE", write: func(w *wire.Writer, st *statusOf) { w.Number64(uint64(st.Bytes)) }},
	},
}
