package pebble

import (
	"github.com/cockroachdb/pebble/v2"

	"postfach/internal/mail"
)

// The log of a mailbox's flags has a record for each change, but those of one commit that
// follow each other share a key: two hundred pipelined STOREs are one value.

// sharedBytes is how long the value of a key may be when another record joins it.
const sharedBytes = 4 << 10

// logKey is the key that a commit is adding records to.
type logKey struct {
	mailbox mail.MailboxID // 0: none
	seq     mail.ModSeq    // of the first record,
	last    mail.ModSeq    // and of the last
	n       uint32
	value   []byte
}

// logFlags adds a record to the log.
func (w *commit) logFlags(c *mail.FlagsSet) {
	l := &w.log
	if l.mailbox == c.Mailbox && len(l.value) < sharedBytes {
		l.value = putUint(l.value, c.ModSeq-l.last)
	} else {
		w.endLog()
		l.mailbox, l.seq, l.n = c.Mailbox, c.ModSeq, w.n
	}
	l.last = c.ModSeq
	l.value = putUIDs(putUint(l.value, c.Flags), c.UIDs)
}

// endLog puts the records that are being added into the batch.
func (w *commit) endLog() {
	if l := &w.log; l.mailbox != 0 {
		w.batch.Set(w.key(keyFlagLog).mailbox(l.mailbox).seq(l.seq, l.n), l.value, nil)
		*l = logKey{value: l.value[:0]}
	}
}

func flagLogKey(id mailboxID) key { return mailboxKey(keyFlagLog, id.account, id.mailbox) }

// logPart is the oldest part of a log.
type logPart struct {
	records, ranges uint64
	end             key // above the last key of the part
}

// readFlagLog reads the log of a mailbox from a key on, as ranges in the order of their change, and
// tells how much it was.
func readFlagLog(it *pebble.Iterator, id mailboxID, from key) (log []flagRun, read logPart, err error) {
	var uids mail.UIDSet
	err = scanFrom(it, flagLogKey(id), from, func(k, b []byte) error {
		v := values{b: b}
		seq, n := seqOf(k)
		for {
			flags := mail.Flags(v.uint())
			uids = v.appendUIDs(uids[:0])
			for _, r := range uids {
				log = append(log, flagRun{r, flags, seq, n})
			}
			read.records++
			read.ranges += uint64(len(uids))
			if len(v.b) == 0 || v.bad {
				break
			}
			seq, n = seq+mail.ModSeq(v.uint()), n+1
		}
		read.end = append(append(read.end[:0], k...), 0)
		return v.err()
	})
	return log, read, err
}
