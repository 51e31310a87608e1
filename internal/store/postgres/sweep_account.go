package postgres

import (
	"postfach/internal/mail"
)

// stillGone guards what frees an account: its id may be given again.
const stillGone = ` AND EXISTS (SELECT FROM accounts WHERE account = $1 AND state IN ('moved', 'removed'))`

// freeAccount are the statements that free some rows of an account that is gone. Each tells how many
// rows it has freed, how many of them are messages (in mailboxes, and themselves), how many
// bytes, and how many segments.
var freeAccount = []string{
	`WITH d AS (DELETE FROM mailbox_rows WHERE account = $1 AND (mailbox, uid) IN
		(SELECT mailbox, uid FROM mailbox_rows WHERE account = $1 LIMIT 2000)` + stillGone + ` RETURNING 1)
	SELECT count(*), count(*), 0::bigint, 0::bigint FROM d`,
	`WITH d AS (DELETE FROM tombstones WHERE account = $1 AND (mailbox, uid) IN
		(SELECT mailbox, uid FROM tombstones WHERE account = $1 LIMIT 2000)` + stillGone + ` RETURNING 1)
	SELECT count(*), count(*), 0::bigint, 0::bigint FROM d`,
	`WITH d AS (DELETE FROM bodies WHERE account = $1 AND message IN
		(SELECT message FROM bodies WHERE account = $1 LIMIT 500)` + stillGone + ` RETURNING length(body) AS n)
	SELECT count(*), 0::bigint, coalesce(sum(n), 0)::bigint, 0::bigint FROM d`,
	`WITH d AS (DELETE FROM chunks WHERE account = $1 AND segment IN
		(SELECT DISTINCT segment FROM chunks WHERE account = $1 LIMIT 20)` + stillGone + ` RETURNING segment, length(bytes) AS n)
	SELECT count(*), 0::bigint, coalesce(sum(n), 0)::bigint, count(DISTINCT segment) FROM d`,
	`WITH d AS (DELETE FROM messages WHERE account = $1 AND message IN
		(SELECT message FROM messages WHERE account = $1 LIMIT 2000)` + stillGone + ` RETURNING 1)
	SELECT count(*), count(*), 0::bigint, 0::bigint FROM d`,
}

// freeRest are those that are not counted. The mailboxes are the last: they say that there is
// something left.
var freeRest = []string{
	`DELETE FROM expunges WHERE account = $1` + stillGone,
	`DELETE FROM commits WHERE account = $1` + stillGone,
	`DELETE FROM derived WHERE account = $1` + stillGone,
	`DELETE FROM subscriptions WHERE account = $1` + stillGone,
	`DELETE FROM keyword_sets WHERE account = $1` + stillGone,
	`DELETE FROM annotations WHERE account = $1` + stillGone,
	`DELETE FROM mailboxes WHERE account = $1` + stillGone,
	`DELETE FROM accounts WHERE account = $1 AND state = 'removed'`,
}

// accounts frees what removed accounts had, and what was left here of those that have moved to
// another shard.
func (w *sweeper) accounts() error {
	for last := int64(-1); ; {
		list, err := w.ints(`SELECT account FROM accounts a WHERE state IN ('moved', 'removed') AND state_since < $1 AND account > $2
			AND (state = 'removed' OR EXISTS (SELECT FROM mailboxes m WHERE m.account = a.account))
			ORDER BY account LIMIT $3`, w.Before, last, sweepPage)
		if err != nil {
			return err
		}
		for _, row := range list {
			last = row[0]
			if err := w.account(mail.AccountID(last)); err != nil {
				return err
			}
		}
		if len(list) < sweepPage {
			return nil
		}
	}
}

func (w *sweeper) account(id mail.AccountID) error {
	mailboxes, err := w.ints("SELECT mailbox FROM mailboxes WHERE account = $1", int64(id))
	if err != nil {
		return err
	}
	for _, m := range mailboxes {
		if w.Pinned(id, mail.MailboxID(m[0])) != ^mail.ModSeq(0) {
			return nil
		}
	}
	for _, statement := range freeAccount {
		for {
			r, err := w.ints(statement, int64(id))
			if err != nil {
				return err
			}
			if r[0][0] == 0 {
				break
			}
			w.swept.Messages += r[0][1]
			w.swept.Bytes += r[0][2]
			w.swept.Segments += r[0][3]
		}
	}
	for _, statement := range freeRest {
		if _, err := w.exec(statement, int64(id)); err != nil {
			return err
		}
	}
	w.s.removedAccount(id)
	return nil
}
