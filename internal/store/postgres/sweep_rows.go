package postgres

import (
	"math"

	"postfach/internal/mail"
)

// roundItems is how many rows of an account one round looks at.
const roundItems = 20_000

// expunged frees the rows of what was expunged and of deleted mailboxes, and the messages that were
// there only for them, account by account.
func (w *sweeper) expunged() error {
	for last := int64(-1); ; {
		list, err := w.ints(`SELECT account FROM (
				SELECT account FROM tombstones WHERE expunged_at < $1
				UNION SELECT account FROM mailboxes WHERE deleted_at < $1
			) t WHERE account > $2 AND (SELECT state FROM accounts a WHERE a.account = t.account) = 'here' ORDER BY account LIMIT $3`,
			w.Before, last, sweepPage)
		if err != nil {
			return err
		}
		for _, row := range list {
			last = row[0]
			// NotFound: it has been removed, or is being moved.
			if err := w.tidy(mail.AccountID(last)); err != nil && !mail.Is(err, mail.NotFound) {
				return err
			}
		}
		if len(list) < sweepPage {
			return nil
		}
	}
}

// item is a row that is due: of a mailbox that is gone, or a tombstone.
type item struct {
	row          bool
	mailbox, uid int64
	message      int64
}

// round is what is due in an account, or a part of it.
type round struct {
	mailboxes []int64 // all of the account
	next      []int64 // their next UIDs before anything else was read
	before    []int64 // tombstones of before that time are due
	pins      []int64 // unless they are of after that
	gone      []int64 // mailboxes that are due as a whole
	items     []item  // by message
}

func (w *sweeper) tidy(id mail.AccountID) error {
	defer w.s.cache.drop(id)
	touched := map[int64]bool{}
	for {
		r, err := w.round(id)
		if err != nil {
			return err
		}
		dead, err := w.dead(id, r)
		if err != nil {
			return err
		}
		for items := r.items; len(items) > 0; {
			n := batchOf(items)
			for _, i := range items[:n] {
				touched[i.mailbox] = true
			}
			if err := w.free(id, r, items[:n], dead); err != nil {
				return err
			}
			items = items[n:]
		}
		if len(r.items) < roundItems {
			if err := w.dropMailboxes(id, r.gone, touched); err != nil {
				return err
			}
			break
		}
	}
	for mailbox := range touched {
		if err := w.mergeExpunges(id, mailbox); err != nil {
			return err
		}
	}
	return nil
}

// batchOf is how many items go together: all of a message, so that it is seen whole.
func batchOf(items []item) int {
	n := min(sweepBatch, len(items))
	for n < len(items) && items[n].message == items[n-1].message {
		n++
	}
	return n
}

// round finds what is due.
func (w *sweeper) round(id mail.AccountID) (*round, error) {
	r := &round{}
	list, err := w.ints(`SELECT mailbox, uid_next, highest_modseq, coalesce(deleted_at, 0), (deleted_at IS NOT NULL)::integer
		FROM mailboxes WHERE account = $1`, int64(id))
	if err != nil {
		return nil, err
	}
	for _, m := range list {
		pin, before := seqInt(w.Pinned(id, mail.MailboxID(m[0]))), w.Before
		if m[4] == 1 && m[3] < w.Before && m[2] <= pin {
			r.gone = append(r.gone, m[0])
			pin, before = math.MaxInt64, math.MaxInt64
		}
		r.mailboxes, r.next = append(r.mailboxes, m[0]), append(r.next, m[1])
		r.pins, r.before = append(r.pins, pin), append(r.before, before)
	}
	list, err = w.ints(`SELECT * FROM (
			SELECT 0, t.mailbox, t.uid, t.message
			FROM unnest($2::bigint[], $3::bigint[], $4::bigint[]) AS p (mailbox, before, pin) JOIN tombstones t USING (mailbox)
			WHERE t.account = $1 AND t.expunged_at < p.before AND t.expunged_modseq <= p.pin
			UNION ALL SELECT 1, mailbox, uid, message FROM mailbox_rows WHERE account = $1 AND mailbox = ANY($5)
		) AS i (is_row, mailbox, uid, message) ORDER BY message LIMIT $6`,
		int64(id), r.mailboxes, r.before, r.pins, r.gone, roundItems)
	if err != nil {
		return nil, err
	}
	for _, l := range list {
		r.items = append(r.items, item{l[0] == 1, l[1], l[2], l[3]})
	}
	return r, nil
}

// dead finds the messages of a round that have no other row and no other tombstone. It can't miss
// any that was there when the round was read; of those that come later free takes care.
func (w *sweeper) dead(id mail.AccountID, r *round) (map[int64]bool, error) {
	if len(r.items) == 0 {
		return nil, nil
	}
	mine := map[int64]int64{}
	var messages []int64
	for _, i := range r.items {
		if mine[i.message]++; mine[i.message] == 1 {
			messages = append(messages, i.message)
		}
	}
	list, err := w.ints(`SELECT r.message, count(*) FROM (
			SELECT message FROM mailbox_rows WHERE account = $1 UNION ALL SELECT message FROM tombstones WHERE account = $1
		) r JOIN (SELECT DISTINCT unnest($2::bigint[]) AS message) c USING (message) GROUP BY r.message`, int64(id), messages)
	if err != nil {
		return nil, err
	}
	dead := make(map[int64]bool, len(messages))
	for _, m := range messages {
		dead[m] = true
	}
	for _, l := range list {
		dead[l[0]] = l[1] <= mine[l[0]]
	}
	return dead, nil
}
