package pebble

import (
	"bytes"

	"github.com/cockroachdb/pebble/v2"

	"postfach/internal/mail"
)

// stepsMax is how many neighbours are passed over before a message is looked for by its key.
const stepsMax = 4

// known refuses messages that are not there. Those of this commit are not in the database
// yet. Messages of a mailbox mostly are neighbours, so that stepping from one to the next
// finds most of them.
func (w *commit) known(rows []mail.Row) (err error) {
	var it *pebble.Iterator
	for i := range rows {
		id := rows[i].Message
		found := id < w.record.nextMessage
		if id < w.firstMessage {
			if it == nil {
				prefix := accountKey(keyMessage, w.Account)
				if it, err = w.e.db.NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: prefix.after()}); err != nil {
					return readError(err)
				}
				defer it.Close()
			}
			found = stepTo(it, w.key(keyMessage).message(id), stepsMax)
		}
		if !found {
			if it != nil && it.Error() != nil {
				return readError(it.Error())
			}
			return mail.Errorf(mail.NotFound, "no such message")
		}
	}
	return nil
}

// stepTo places the iterator on a key, in so many steps or by looking for it, and tells whether
// it is there.
func stepTo(it *pebble.Iterator, k key, steps int) bool {
	for range steps {
		if !it.Valid() || bytes.Compare(it.Key(), k) >= 0 {
			break
		}
		it.Next()
	}
	if !it.Valid() || !bytes.Equal(it.Key(), k) {
		it.SeekGE(k)
	}
	return it.Valid() && bytes.Equal(it.Key(), k)
}
