package bench

import (
	"fmt"
	"time"
)

// Scale says how much mail there is and how long things are measured.
type Scale struct {
	Messages     int // in the big mailbox
	Change       int // in the mailbox whose messages are changed, and of which whole bodies are fetched
	Mailboxes    int // in the account with many
	IdleAccounts int // each has idleMessages
	Idle         []int
	Sizes        []int   // of mailboxes in which the same commands are measured, ascending
	Crowd        int     // accounts whose memory is measured
	Seconds      float64 // a run of a workload
	Runs         int     // of each workload; the median counts
}

// Full is the scale of the published table.
func Full(messages int) Scale {
	return Scale{Messages: messages, Change: min(messages, 10_000), Mailboxes: 200, IdleAccounts: 50, Idle: []int{1000, 10_000}, Seconds: 2, Runs: 5}
}

const (
	smallMessages = 100
	treeMessages  = 5
	idleMessages  = 1000
	writersMax    = 16 // clients that append
	rangeMessages = 1000
)

// box is a mailbox that is filled before anything is measured.
type box struct {
	account, name string
	corpus        corpus
	messages      int
}

// boxes are all mailboxes with mail.
func (s Scale) boxes() []box {
	all := []box{
		{"big", "INBOX", corpus{Mixed, 1}, s.Messages},
		{"small", "INBOX", corpus{Letters, 2}, smallMessages},
		{"change", "INBOX", corpus{Letters, 3}, s.Change},
		{"shift", "from", corpus{Letters, 4}, s.rangeSize()},
		{"shift", "to", corpus{}, 0},
		{"waiting", "INBOX", corpus{Notes, 6}, idleMessages},
	}
	for i := range s.Mailboxes {
		all = append(all, box{"tree", treeName(i), corpus{Notes, uint64(100 + i)}, treeMessages})
	}
	for i := range s.IdleAccounts {
		all = append(all, box{idleAccount(i), "INBOX", corpus{Notes, uint64(1000 + i)}, idleMessages})
	}
	return all
}

// rangeSize is the number of messages in ranges that are changed at once.
func (s Scale) rangeSize() int { return min(rangeMessages, s.Change) }

func treeName(i int) string    { return fmt.Sprintf("Folder%d/Box%03d", i%10, i) }
func idleAccount(i int) string { return fmt.Sprintf("idle%03d", i) }

// Accounts are the names of all accounts that a server must have, without the prefix.
func (s Scale) Accounts() []string {
	var names []string
	seen := make(map[string]bool)
	for _, b := range s.boxes() {
		if !seen[b.account] {
			seen[b.account] = true
			names = append(names, b.account)
		}
	}
	for _, n := range s.Sizes {
		names = append(names, sizedAccount(n))
	}
	for i := range s.Crowd {
		names = append(names, crowdAccount(i))
	}
	for i := range writersMax {
		names = append(names, fmt.Sprintf("writer%02d", i))
	}
	return names
}

// length is that of a run.
func (s Scale) length() time.Duration { return time.Duration(s.Seconds * float64(time.Second)) }
