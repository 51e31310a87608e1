package imap

import (
	"flag"
	"fmt"
	"strings"
	"testing"
	"time"

	"postfach/internal/mail"
	"postfach/internal/mailbox"
)

var resyncExpunged = flag.Int("resync.expunged", 1_000_000, "messages that TestManyExpunges expunges")

const (
	resyncBytesMax = 2048
	resyncTimeMax  = 5 * time.Millisecond
)

// TestResyncCost: to bring a client up to date with 10 changes in a mailbox of 100,000
// messages takes one command, few bytes and little time.
func TestResyncCost(t *testing.T) {
	if testing.Short() || raceDetector {
		t.Skip("measures")
	}
	s, c := selectedSession(t, inPebble(t), 100_000)
	c.keep = true
	run(t, s, c, "a ENABLE QRESYNC\r\n")
	st := s.view.State()
	for i := range 5 {
		run(t, s, c, fmt.Sprintf("a UID STORE %d +FLAGS.SILENT (\\Flagged)\r\nb UID STORE %d +FLAGS.SILENT (\\Deleted)\r\n", 20_001*i+7, 20_001*i+9))
	}
	run(t, s, c, "a EXPUNGE\r\n")
	command := fmt.Sprintf("a SELECT INBOX (QRESYNC (%d %d 1:100000))\r\n", st.UIDValidity, st.HighestModSeq)
	least := time.Hour
	for range 10 {
		run(t, s, c, "a UNSELECT\r\n")
		c.said = c.said[:0]
		began := time.Now()
		run(t, s, c, command)
		least = min(least, time.Since(began))
	}
	said := string(c.said)
	t.Logf("%d bytes, %v", len(command)+len(said), least)
	if strings.Count(said, " FETCH (") != 5 || !strings.Contains(said, "* VANISHED (EARLIER) 9,20010,40011,60012,80013\r\n") {
		t.Errorf("not all is told: %s", said)
	}
	if len(command)+len(said) > resyncBytesMax || least > resyncTimeMax {
		t.Errorf("%d bytes in %v, at most %d in %v", len(command)+len(said), least, resyncBytesMax, resyncTimeMax)
	}
}

// TestManyExpunges: a mailbox that has lost a million messages opens as fast as one that has
// lost none, also for a client that has slept through all of it.
func TestManyExpunges(t *testing.T) {
	if testing.Short() || raceDetector {
		t.Skip("measures")
	}
	none, _ := openAfter(t, 0)
	many, told := openAfter(t, *resyncExpunged)
	t.Logf("opened in %v without expunges, in %v after %d of them, with %d bytes", none, many, *resyncExpunged, told)
	if many > none+resyncTimeMax {
		t.Errorf("opened in %v without expunges, in %v after %d of them", none, many, *resyncExpunged)
	}
}

// openAfter measures how long it takes to open a mailbox with 1,000 messages after so many
// others were expunged: every second one first, so that their history is in pieces.
func openAfter(t *testing.T, gone int) (least time.Duration, told int) {
	const steps = 1000
	s, c := selectedSession(t, inPebble(t), 1000)
	c.keep = true
	run(t, s, c, "a ENABLE QRESYNC\r\n")
	st := s.view.State()
	inbox := s.view.Mailbox().ID
	for n := 0; n < gone; n += steps {
		r, err := s.account.Do(t.Context(), &mailbox.Copy{From: inbox, To: inbox, UIDs: mail.UIDSet{{First: 1, Last: 1000}}, Now: 1})
		if err != nil || len(r.Target) != 1 {
			t.Fatal(err, r.Target)
		}
		first := r.Target[0].First
		for half := range uint32(2) {
			var uids mail.UIDSet
			for u := first + half; u < first+steps; u += 2 {
				uids = append(uids, mail.Range{First: u, Last: u})
			}
			if _, err := s.account.Do(t.Context(), &mailbox.Expunge{Mailbox: inbox, UIDs: uids, Any: true}); err != nil {
				t.Fatal(err)
			}
		}
	}
	least = time.Hour
	for range 10 {
		run(t, s, c, "a UNSELECT\r\n")
		c.said = c.said[:0]
		began := time.Now()
		run(t, s, c, fmt.Sprintf("a SELECT INBOX (QRESYNC (%d %d 1:1000))\r\n", st.UIDValidity, st.HighestModSeq))
		least = min(least, time.Since(began))
	}
	return least, len(c.said)
}
