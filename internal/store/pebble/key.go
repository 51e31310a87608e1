package pebble

import (
	"encoding/binary"

	"postfach/internal/mail"
)

// The first byte of a key says what it is. 0x15 and 0x17 are reserved for ACL
// and other readers' \Seen.
const (
	keyFormat         = 0x01 // -> format
	keyName           = 0x02 // name -> account
	keyEntry          = 0x03 // account -> directory entry
	keyRemovedAccount = 0x04 // account -> when
	keyPlace          = 0x05 // account -> place, when; only of one that is coming or has left
	keyAccount        = 0x10 // account -> accountRecord
	keyMailbox        = 0x11 // account, mailbox -> mailboxRecord
	keyRecent         = 0x12 // account, mailbox -> UID
	keySubscription   = 0x13 // account, name
	keyKeywordSet     = 0x14 // account, number -> keywords
	keyAnnotation     = 0x16 // account, mailbox (0: the account's), name -> ModSeq, value
	keyDeletedMailbox = 0x18 // account, mailbox -> when, ModSeq
	keyArrived        = 0x19 // account -> message: below it there may be messages without a use
	keyRow            = 0x20 // account, mailbox, UID -> what never changes, first flags
	keyFlagBlock      = 0x21 // account, mailbox, UID/256 -> runs of flags
	keyFlagLog        = 0x22 // account, mailbox, ModSeq, n -> UIDs, flags
	keyTombstone      = 0x23 // account, mailbox, ModSeq, n -> when, UIDs
	keyExpunged       = 0x24 // account, mailbox, ModSeq, n -> UIDs
	keyExpungedOld    = 0x25 // account, mailbox, UID/65536 -> ModSeq, UIDs
	keyMessage        = 0x30 // account, message -> mail.Message
	keyInline         = 0x31 // account, message -> bytes
	keyUse            = 0x32 // account, message, mailbox, UID
	keyRecord         = 0x40 // segment, offset -> account, message, length
	keyOutcome        = 0x50 // hour, account, OpID -> version
	keyDerived        = 0x51 // account, key -> value
)

// perAccount are the types whose keys begin with the account, but for keyEntry,
// keyRemovedAccount and keyPlace.
var perAccount = [...]byte{
	keyAccount, keyMailbox, keyRecent, keySubscription, keyKeywordSet, keyAnnotation, keyDeletedMailbox, keyArrived,
	keyRow, keyFlagBlock, keyFlagLog, keyTombstone, keyExpunged, keyExpungedOld,
	keyMessage, keyInline, keyUse, keyDerived,
}

// perMailbox are the types that are deleted with their mailbox as a range. Rows are
// not: each may be the last one of its message.
var perMailbox = [...]byte{
	keyRecent, keyAnnotation, keyFlagBlock, keyFlagLog, keyTombstone, keyExpunged, keyExpungedOld,
}

// key is built by appending big-endian numbers, so that it sorts by them.
type key []byte

func newKey(kind byte) key { return append(make(key, 0, 40), kind) }

func (k key) u32(n uint32) key                { return binary.BigEndian.AppendUint32(k, n) }
func (k key) u64(n uint64) key                { return binary.BigEndian.AppendUint64(k, n) }
func (k key) text(s string) key               { return append(k, s...) }
func (k key) account(id mail.AccountID) key   { return k.u64(uint64(id)) }
func (k key) mailbox(id mail.MailboxID) key   { return k.u32(uint32(id)) }
func (k key) message(id mail.MessageID) key   { return k.u64(uint64(id)) }
func (k key) uid(u mail.UID) key              { return k.u32(uint32(u)) }
func (k key) seq(s mail.ModSeq, n uint32) key { return k.u64(uint64(s)).u32(n) }

// after returns the least key that is above all that begin with k.
func (k key) after() key {
	end := append(make(key, 0, len(k)), k...)
	for i := len(end) - 1; i >= 0; i-- {
		if end[i]++; end[i] != 0 {
			return end[:i+1]
		}
	}
	return nil
}

func accountKey(kind byte, id mail.AccountID) key { return newKey(kind).account(id) }

func mailboxKey(kind byte, id mail.AccountID, mailbox mail.MailboxID) key {
	return newKey(kind).account(id).mailbox(mailbox)
}

// numbers reads the numbers at the end of a key that iteration has found.
func lastU32(k []byte) uint32 { return binary.BigEndian.Uint32(k[len(k)-4:]) }
func lastU64(k []byte) uint64 { return binary.BigEndian.Uint64(k[len(k)-8:]) }

// seqOf reads the ModSeq and number of a log key.
func seqOf(k []byte) (mail.ModSeq, uint32) {
	return mail.ModSeq(lastU64(k[:len(k)-4])), lastU32(k)
}

// mailboxOf reads the account and mailbox that a key begins with, after its type.
func mailboxOf(k []byte) (mail.AccountID, mail.MailboxID) {
	return mail.AccountID(binary.BigEndian.Uint64(k[1:])), mail.MailboxID(binary.BigEndian.Uint32(k[9:]))
}
