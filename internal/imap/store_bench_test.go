package imap

import (
	"fmt"
	"testing"

	"postfach/internal/mail"
	"postfach/internal/store/pebble"
)

// BenchmarkStore changes flags in a mailbox of 10,000 messages on the disk: one message a
// command that is waited for, of 200 that are pipelined, and a thousand messages a command.
// The unit of all is a message.
func BenchmarkStore(b *testing.B) {
	for _, w := range []struct {
		name                string
		pipelined, messages int
	}{{"serial", 1, 1}, {"pipelined", 200, 1}, {"range", 1, 1000}} {
		b.Run(w.name, func(b *testing.B) {
			store, err := pebble.Open(b.TempDir(), pebble.Options{Env: mail.SystemEnv(quietLog)})
			if err != nil {
				b.Fatal(err)
			}
			defer store.Close()
			const exists = 10_000
			s, c := selectedSession(b, store, exists)
			places := exists / w.messages
			var text []byte
			b.ReportAllocs()
			b.ResetTimer()
			for i := 0; i < b.N; {
				text = text[:0]
				for n := 0; n < w.pipelined*w.messages; n += w.messages {
					first := i%exists + 1
					text = fmt.Appendf(text, "a UID STORE %d:%d %cFLAGS (\\Draft)\r\n", first, first+w.messages-1, "+-"[i/w.messages/places%2])
					i += w.messages
				}
				run(b, s, c, string(text))
			}
		})
	}
}
