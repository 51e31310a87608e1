package mailbox

import (
	"testing"

	"postfach/internal/mail"
)

// TestThread: who answers is in the thread of what is answered, by the first message that
// the headers name.
func TestThread(t *testing.T) {
	w := newWorld(t, Limits{})
	a := w.account(w.engine)
	of := func(header string) mail.ThreadID { return incoming(t, a, header+"\r\n\r\nx").Message.Thread }
	root := of("Message-ID: <1@x>")
	if root == 0 || root >= 1<<63 {
		t.Fatalf("thread %d", root)
	}
	for _, header := range []string{
		"message-id: <1@x>",
		"Message-ID: <2@x>\r\nIn-Reply-To: <1@x>",
		"Message-ID: <3@x>\r\nIn-Reply-To: <2@x>\r\nReferences: <1@x>\r\n <2@x>",
		"Message-ID: <4@x>\r\nReferences: <1@x>",
		"In-Reply-To: <1@x>",
		"Message-ID: <5@x>\r\nReferences: nothing\r\nIn-Reply-To: \"Anna\" <1@x>",
	} {
		if got := of(header); got != root {
			t.Errorf("%q is in thread %d, want %d", header, got, root)
		}
	}
	for _, header := range []string{"Message-ID: <2@x>", "Message-ID: <1@X>", "References: <2@x> <1@x>"} {
		if got := of(header); got == root || got == 0 {
			t.Errorf("%q is in thread %d", header, got)
		}
	}
	if got := of("Subject: Re: x"); got != 0 {
		t.Errorf("without ids: thread %d", got)
	}
	if root != 3142754028373220704 { // half of the first 64 bits of SHA-256 of "1@x"
		t.Errorf("the thread has become %d: clients keep it for ever", root)
	}
}
