package pebble

import (
	"bytes"
	"reflect"
	"testing"

	"postfach/internal/mail"
)

func TestUIDs(t *testing.T) {
	for _, s := range []mail.UIDSet{
		nil, mail.UIDs(1), mail.UIDs(mail.UIDMax), mail.UIDs(1, 3, 4, 5, 900),
		{{First: 1, Last: 1<<32 - 1}}, {{First: 7, Last: 7}, {First: 9, Last: 1 << 31}},
	} {
		v := values{b: putUIDs(nil, s)}
		if got := v.uids(); v.bad || len(v.b) != 0 || len(got) != len(s) || len(s) > 0 && !reflect.DeepEqual(got, s) {
			t.Errorf("%v came back as %v", s, got)
		}
	}
}

func TestRecords(t *testing.T) {
	a := accountRecord{version: 1 << 62, nextMailbox: 7, nextMessage: 1 << 40, lastUIDValidity: 1<<32 - 1, keywordSets: 3,
		totals: mail.Counters{Messages: 1, Unseen: -2, Deleted: 3, Bytes: 1 << 50}, rest: []byte("later")}
	var b accountRecord
	if err := b.decode(a.encode(nil)); err != nil || !reflect.DeepEqual(a, b) {
		t.Errorf("%+v came back as %+v, %v", a, b, err)
	}
	m := mailboxRecord{MailboxState: mail.MailboxState{ID: 3, Name: "Ä/b", UIDValidity: 5, UIDNext: 9, HighestModSeq: 1 << 60, Use: mail.UseSent},
		logRecords: 1, logRanges: 2, expungeRanges: 3, rest: []byte{1}}
	var n mailboxRecord
	if err := n.decode(3, m.encode(nil)); err != nil || !reflect.DeepEqual(m, n) {
		t.Errorf("%+v came back as %+v, %v", m, n, err)
	}
	row := mail.Row{UID: 5, Flags: 1 << 20, ModSeq: 1 << 61, Fixed: mail.Fixed{Message: 9, Size: 1 << 40, Date: mail.Stamp{Unix: -5, ZoneMinutes: -720}, Saved: 1 << 33}}
	if got, err := decodeRow(5, rowValue(nil, &row)); err != nil || got != row {
		t.Errorf("%+v came back as %+v, %v", row, got, err)
	}
}

func TestAfter(t *testing.T) {
	for _, test := range []struct{ k, want key }{
		{key{1, 2}, key{1, 3}}, {key{1, 0xff}, key{2}}, {key{0xff, 0xff}, nil},
	} {
		if got := test.k.after(); !bytes.Equal(got, test.want) {
			t.Errorf("after %x is %x, want %x", test.k, got, test.want)
		}
	}
}

// FuzzDecode: no value, however damaged, is taken for more than it is or ends the process.
func FuzzDecode(f *testing.F) {
	a, m := accountRecord{version: 5}, mailboxRecord{MailboxState: mail.MailboxState{Name: "x"}}
	f.Add(a.encode(nil))
	f.Add(m.encode(nil))
	f.Add(rowValue(nil, &mail.Row{UID: 1}))
	f.Add(messageValue(nil, &mail.Message{Structure: []byte("abc")}))
	f.Add(putUIDs(putInt(nil, 77), mail.UIDs(1, 5, 6)))
	f.Add(blockValue(nil, 256, []flagRun{{Range: mail.Range{First: 256, Last: 511}, flags: 1, modSeq: 9}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		new(accountRecord).decode(b)
		new(mailboxRecord).decode(1, b)
		decodeRow(1, b)
		decodeMessage(1, b)
		decodeEntry(1, b)
		decodeKeywords(b)
		decodeRecord(b)
		decodeBlock(nil, 0, b)
		if _, uids, err := decodeTombstone(b); err == nil {
			for i, r := range uids {
				if r.First > r.Last || i > 0 && r.First < uids[i-1].Last {
					t.Fatalf("%v is not a set", uids)
				}
			}
		}
	})
}
