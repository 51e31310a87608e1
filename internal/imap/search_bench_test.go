package imap

import (
	"testing"

	"postfach/internal/mail"
	"postfach/internal/store/mem"
)

// BenchmarkSearchRows searches by what is in memory, in a mailbox of 50,000 messages.
func BenchmarkSearchRows(b *testing.B) {
	s, c := selectedSession(b, mem.New(mail.SystemEnv(quietLog)), 50_000)
	for _, keys := range []string{"ALL", "UNSEEN", "SEEN", "SINCE 1-Jan-2020", "LARGER 100", "UNSEEN SINCE 1-Jan-1960", "RETURN (COUNT) UNSEEN", "RETURN (COUNT) ALL"} {
		b.Run(keys, func(b *testing.B) {
			for range b.N {
				run(b, s, c, "a SEARCH "+keys+"\r\n")
			}
		})
	}
}
