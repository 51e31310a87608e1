package lmtp

import (
	"slices"
	"testing"

	"postfach/internal/mailbox"
)

func TestChunks(t *testing.T) {
	w := newWorld(t, Limits{}, mailbox.Limits{MessageBytesMax: 4096})
	p := w.dial()
	p.hello()
	p.to("anna", "carl")
	p.raw("BDAT 7\r\n.\r\nQUITBDAT 2\r\n\r\nBDAT 0 LAST\r\n")
	p.expect("250 2.0.0 *", "250 2.0.0 *", "250 2.1.5 *", "250 2.1.5 *")
	if got, want := w.messages(1, "INBOX"), trace("anna")+".\r\nQUIT\r\n"; !slices.Equal(got, []string{want}) {
		t.Errorf("anna has %q", got)
	}
	// Without a transaction the bytes are thrown away, never run.
	p.raw("BDAT 6\r\nQUIT\r\n")
	p.expect("503 5.5.1 *")
	// RFC 2033 4.3: no recipient was taken, so no reply at all.
	p.raw("BDAT 6 LAST\r\nQUIT\r\nNOOP\r\n")
	p.expect("250 2.0.0 *")
	// Nothing may come between the chunks.
	p.to("anna")
	p.raw("BDAT 3\r\nabcDATA\r\nRCPT TO:<carl>\r\nMAIL FROM:<>\r\n")
	p.expect("250 2.0.0 *", "503 5.5.1 *", "503 5.5.1 *", "503 5.5.1 *")
	p.raw("RSET\r\n")
	p.expect("250 2.0.0 *")
	// Too big: said once for a chunk, for each recipient at the end.
	p.to("anna")
	p.raw("BDAT 3000\r\n" + string(make([]byte, 3000)))
	p.expect("552 5.3.4 *")
	p.raw("BDAT 6\r\nQUIT\r\nBDAT 6 LAST\r\nQUIT\r\nDATA\r\nRSET\r\n")
	p.expect("503 5.5.1 *", "503 5.5.1 *", "503 5.5.1 *", "250 2.0.0 *")
	p.to("anna", "carl")
	p.raw("BDAT 3000 LAST\r\n" + string(make([]byte, 3000)))
	p.expect("552 5.3.4 *", "552 5.3.4 *")
	if n := len(w.messages(1, "INBOX")); n != 1 {
		t.Errorf("anna has %d messages", n)
	}
	p.to("anna")
	p.raw("BDAT x\r\nMAIL FROM:<>\r\n")
	p.expect("501 5.5.4 *", "421 4.3.2 *")
	p.closed()
}

func TestParseChunk(t *testing.T) {
	for in, want := range map[string]struct {
		size     int64
		last, ok bool
	}{
		"0": {0, false, true}, "10 LAST": {10, true, true}, "10 last": {10, true, true},
		"": {}, "-1": {}, "+1": {}, "1 FIRST": {}, "0x1": {}, "1 LAST LAST": {}, "99999999999999999999": {}, "18446744073709551615": {},
	} {
		size, last, ok := parseChunk(in)
		if ok != want.ok || ok && (size != want.size || last != want.last) {
			t.Errorf("%q: %v %v %v", in, size, last, ok)
		}
	}
}

func FuzzPath(f *testing.F) {
	for _, s := range []string{"<a@b>", "<\"a>\\\"\"@b> SIZE=1", "<@x,@y:a@b>", "<>", "<", "<@x>", "<a@b>x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		address, params, ok := cutPath(s)
		if ok && len(address) > len(s) || !ok && (address != "" && params != nil) {
			t.Errorf("%q: %q %q", s, address, params)
		}
	})
}
