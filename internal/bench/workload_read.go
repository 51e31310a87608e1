package bench

import (
	"fmt"
	"math/rand/v2"
)

const (
	listItems   = "(ENVELOPE BODYSTRUCTURE INTERNALDATE RFC822.SIZE)"
	headerItems = "(UID BODY.PEEK[HEADER.FIELDS (FROM TO CC SUBJECT DATE MESSAGE-ID REFERENCES)])"
)

// readingLoads read messages.
func readingLoads() []*workload {
	return []*workload{
		{name: "fetch-flags", unit: "message", bar: bar{ratio: 4}, doc: "FETCH (UID FLAGS) of the big mailbox", begin: fetches("big", "(UID FLAGS)")},
		{name: "fetch-list-cold", unit: "message", cold: true, bar: bar{ratio: 8}, doc: "FETCH " + listItems + " of the big mailbox after a start", begin: fetches("big", listItems)},
		{name: "fetch-list", unit: "message", bar: bar{ratio: 10}, doc: "the same again and again", begin: fetches("big", listItems)},
		{name: "fetch-headers", unit: "message", bar: bar{ratio: 4}, doc: "FETCH " + headerItems + " of the big mailbox", begin: fetches("big", headerItems)},
		{name: "fetch-small-1", unit: "message", doc: "whole messages of 1 to 20 KB, 50 a command, one client", files: true, begin: bodies("change")},
		{name: "fetch-small-10", unit: "message", clients: 10, bar: bar{ratio: 3}, doc: "the same, 10 clients", files: true, begin: bodies("change")},
		{name: "fetch-mixed-1", unit: "message", doc: "whole messages of 0.5 KB to 2 MB, 50 a command, one client", files: true, begin: bodies("big")},
		{name: "fetch-mixed-10", unit: "message", clients: 10, bar: bar{ratio: 3}, doc: "the same, 10 clients", files: true, begin: bodies("big")},
		{name: "fetch-part", unit: "message", doc: "4 KB of the first part of a message, anywhere in the big mailbox",
			begin: asks("big", "INBOX", func(c *conn, s Scale, i int) int {
				c.send(fmt.Sprintf("UID FETCH %d (BODY.PEEK[1]<0.4096>)", 1+scatter(i, s.Messages)))
				return 0
			})},
		{name: "stream", unit: "message", bar: bar{ratio: 2}, doc: "FETCH 1:* (BODY.PEEK[]) of the big mailbox", files: true, begin: fetches("big", "(BODY.PEEK[])")},
	}
}

// bodies fetches whole messages from places all over a mailbox.
func bodies(account string) beginner {
	return asks(account, "INBOX", func(c *conn, s Scale, i int) int {
		const count = 50
		n := s.Change
		if account == "big" {
			n = s.Messages
		}
		first := 1 + scatter(i, max(1, n-count))
		c.send(fmt.Sprintf("UID FETCH %d:%d (BODY.PEEK[])", first, first+count-1))
		return 0
	})
}

// scatter is a number below n, the same for the same i.
func scatter(i, n int) int { return rand.New(rand.NewPCG(5, uint64(i))).IntN(n) }
