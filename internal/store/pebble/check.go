package pebble

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"

	"github.com/cockroachdb/pebble/v2"

	"postfach/internal/mail"
)

// checker verifies a store and reports what is wrong in sentences.
type checker struct {
	ctx    context.Context
	s      *Store
	e      *epoch
	it     *pebble.Iterator // all at one moment
	report func(string)
}

// Check reads everything and reports every damage that it finds: counters that are not
// those of the rows, rows without messages, messages without rows, bytes that are not
// readable or not those that came. Nothing may write meanwhile. An error means that the
// check could not be finished.
func (s *Store) Check(ctx context.Context, report func(string)) error {
	e, err := s.enter()
	if err != nil {
		return err
	}
	defer e.leave()
	e.tidy.Lock() // logs that are folded meanwhile would not be those that the iterator sees
	defer e.tidy.Unlock()
	it, err := e.db.NewIter(nil)
	if err != nil {
		return readError(err)
	}
	defer it.Close()
	c := &checker{ctx, s, e, it, report}
	var ids []mail.AccountID
	err = scan(it, newKey(keyAccount), func(k, _ []byte) error {
		ids = append(ids, mail.AccountID(lastU64(k)))
		return nil
	})
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := c.account(id); err != nil {
			return err
		}
	}
	return c.records()
}

func (c *checker) say(format string, args ...any) { c.report(fmt.Sprintf(format, args...)) }

func (c *checker) account(id mail.AccountID) error {
	if err := c.ctx.Err(); err != nil {
		return mail.Wrap(mail.Busy, err)
	}
	if _, found, err := c.e.readEntry(id); err != nil {
		return err
	} else if !found {
		c.say("account %v has no entry in the directory", id)
	}
	state, err := c.s.LoadAccount(c.ctx, id)
	if err != nil {
		c.say("account %v: %v", id, err)
		return nil
	}
	var totals mail.Counters
	for i := range state.Mailboxes {
		m := &state.Mailboxes[i]
		totals.Add(m.Counters)
		if m.HighestModSeq > state.Version {
			c.say("account %v: mailbox %d is newer than its account", id, m.ID)
		}
		if err := c.mailbox(id, m); err != nil {
			return err
		}
	}
	if totals != state.Totals {
		c.say("account %v: totals are %+v, the mailboxes have %+v", id, state.Totals, totals)
	}
	if err := c.annotations(id, state.Version); err != nil {
		return err
	}
	if err := c.rows(id); err != nil {
		return err
	}
	return c.messages(id, state.NextMessage)
}

// mailbox compares a mailbox's numbers with its rows and logs.
func (c *checker) mailbox(id mail.AccountID, m *mail.MailboxState) error {
	rows, err := c.s.loadRows(id, m.ID)
	if err != nil {
		c.say("account %v: mailbox %d: %v", id, m.ID, err)
		return nil
	}
	var counted mail.Counters
	for row, err := range rows {
		if err != nil {
			c.say("account %v: mailbox %d: %v", id, m.ID, err)
			return nil
		}
		counted.Add(mail.Count(row.Flags, row.Size))
		if row.UID >= m.UIDNext || row.ModSeq > m.HighestModSeq {
			c.say("account %v: mailbox %d: message %d is newer than its mailbox", id, m.ID, row.UID)
		}
	}
	if counted != m.Counters {
		c.say("account %v: mailbox %d: counters are %+v, the messages have %+v", id, m.ID, m.Counters, counted)
	}
	record, err := c.e.readMailbox(id, m.ID)
	if err != nil {
		return err
	}
	_, log, err := readFlagLog(c.it, mailboxID{id, m.ID}, flagLogKey(mailboxID{id, m.ID}))
	if err != nil {
		return err
	}
	if log.records != record.logRecords || log.ranges != record.logRanges {
		c.say("account %v: mailbox %d: its log has other lengths than noted", id, m.ID)
	}
	return c.pages(mailboxID{id, m.ID})
}

// pages compares pages with the rows that they stand for. (One that has rows too many is passed
// over when the mailbox is read.)
func (c *checker) pages(id mailboxID) error {
	return scan(c.it, pagesKey(id), func(k, v []byte) error {
		first, last := c.e.pageEnds(lastU32(k))
		rows, err := c.e.readRows(id, first, last)
		if err == nil && (len(rows) == 0 || !bytes.Equal(v, pageValue(k, rows))) {
			c.say("account %v: mailbox %d: a page does not have the rows from %d to %d", id.account, id.mailbox, first, last)
		}
		return err
	})
}

// annotations looks for those of mailboxes that have never been, or are freed.
func (c *checker) annotations(id mail.AccountID, version mail.Version) error {
	return scan(c.it, accountKey(keyAnnotation, id), func(k, v []byte) error {
		_, mailbox := mailboxOf(k)
		value := values{b: v}
		seq := mail.ModSeq(value.uint())
		value.text()
		if value.err() != nil || seq > version {
			c.say("account %v: mailbox %d: an annotation is damaged, or newer than its account", id, mailbox)
		}
		there, err := c.e.read(mailboxKey(keyMailbox, id, mailbox), ignore)
		if err == nil && !there {
			there, err = c.e.read(mailboxKey(keyDeletedMailbox, id, mailbox), ignore)
		}
		if err == nil && !there && mailbox != 0 {
			c.say("account %v: mailbox %d has annotations and is not there", id, mailbox)
		}
		return err
	})
}

// rows looks for rows, expunged ones too, without a message or a use.
func (c *checker) rows(id mail.AccountID) error {
	return scan(c.it, accountKey(keyRow, id), func(k, v []byte) error {
		_, mailbox := mailboxOf(k)
		row, err := decodeRow(mail.UID(lastU32(k)), v)
		if err != nil {
			c.say("account %v: mailbox %d: message %d: %v", id, mailbox, lastU32(k), err)
			return nil
		}
		found, err := c.e.read(accountKey(keyMessage, id).message(row.Message), ignore)
		if err != nil {
			return err
		}
		used, err := c.e.read(accountKey(keyUse, id).message(row.Message).mailbox(mailbox).uid(row.UID), ignore)
		if !found || !used {
			c.say("account %v: mailbox %d: message %d has lost its contents", id, mailbox, row.UID)
		}
		return err
	})
}

// messages verifies every message's bytes, and that somebody needs it.
func (c *checker) messages(id mail.AccountID, next mail.MessageID) error {
	uses, err := c.it.Clone(pebble.CloneOptions{})
	if err != nil {
		return readError(err)
	}
	defer uses.Close()
	arrived, err := c.e.read(accountKey(keyArrived, id), ignore)
	if err != nil {
		return err
	}
	return scan(c.it, accountKey(keyMessage, id), func(k, v []byte) error {
		if err := c.ctx.Err(); err != nil {
			return mail.Wrap(mail.Busy, err)
		}
		number := mail.MessageID(lastU64(k))
		m, err := decodeMessage(number, v)
		if err == nil {
			err = c.body(id, m)
		}
		if err != nil {
			c.say("account %v: message %d: %v", id, number, err)
		}
		if number >= next {
			c.say("account %v: message %d is newer than its account", id, number)
		}
		used := false
		err = scan(uses, accountKey(keyUse, id).message(number), func(k, _ []byte) error {
			used = true
			place := k[len(k)-8:] // mailbox, UID
			found, err := c.e.read(append(accountKey(keyRow, id), place...), ignore)
			if err == nil && !found {
				c.say("account %v: message %d is used by a row that is not there", id, number)
			}
			return err
		})
		if err == nil && !used && !arrived {
			c.say("account %v: message %d is nobody's", id, number)
		}
		return err
	})
}

func (c *checker) body(id mail.AccountID, m *mail.Message) error {
	hash := sha256.New()
	var size int64
	if m.Body.Inline {
		b, err := c.s.Inline(c.ctx, id, m.ID)
		if err != nil {
			return err
		}
		hash.Write(b)
		size = int64(len(b))
	} else {
		b, err := c.s.Open(c.ctx, id, m.Body)
		if err != nil {
			return err
		}
		defer b.Close()
		size = b.Size()
		if _, err := io.Copy(hash, io.NewSectionReader(b, 0, size)); err != nil {
			return err
		}
	}
	if size != m.Size || [32]byte(hash.Sum(nil)) != m.Digest {
		return fmt.Errorf("its bytes are not those that came")
	}
	return nil
}

// records compares the index of segments with the messages that refer to them.
func (c *checker) records() error {
	return scan(c.it, newKey(keyRecord), func(k, v []byte) error {
		id, message, length, err := decodeRecord(v)
		if err != nil {
			return err
		}
		segment, offset := lastU64(k[:len(k)-8]), lastU64(k)
		want := mail.Ref{Segment: segment, Offset: int64(offset), Length: length}
		same := false
		_, err = c.e.read(accountKey(keyMessage, id).message(message), func(b []byte) error {
			m, err := decodeMessage(message, b)
			same = err == nil && m.Body == want
			return nil
		})
		if !same {
			c.say("account %v: message %d does not refer to its record in segment %x", id, message, segment)
		}
		return err
	})
}
