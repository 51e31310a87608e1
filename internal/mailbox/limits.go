package mailbox

import (
	"postfach/internal/mail"
	"time"
)

// Limits bounds what grows in the engine. Zero values mean the defaults.
type Limits struct {
	MessageBytesMax     int64         // one message; default 128 MiB
	QuotaBytes          int64         // one account, all copies counted; 0 = none
	MailboxesMax        int           // one account; default 10,000
	SubscriptionsMax    int           // one account; default 10,000
	NameBytesMax        int           // one mailbox name; default 1,000
	NameDepthMax        int           // parts of one mailbox name; default 50
	GroupOpsMax         int           // operations in one commit; default 256
	AnnotationsMax      int           // one mailbox, or the account itself; default 1,000
	AnnotationBytesMax  int           // the value of one; default 64 KiB
	AnnotationsBytesMax int64         // names and values of an account; default 4 MiB
	AccountsIdleMax     int           // accounts kept in memory that no session uses; default 1,000
	RowsIdleMax         int64         // messages in the mailboxes of these; default 5,000,000
	SweepGrace          time.Duration // what was expunged stays this long; default a day
	ConflictRetriesMax  int           // before the commit takes the account's lock; default 3
	OutcomeTimeout      time.Duration // for finding out what became of a commit; default 30 s
	TurnTimeout         time.Duration // a command waits so long for others of its account; default a minute
}

func orDefault[T int | int64 | time.Duration](v *T, d T) {
	if *v == 0 {
		*v = d
	}
}

func (l Limits) withDefaults() Limits {
	orDefault(&l.MessageBytesMax, 128<<20)
	orDefault(&l.MailboxesMax, 10_000)
	orDefault(&l.SubscriptionsMax, 10_000)
	orDefault(&l.NameBytesMax, 1000)
	orDefault(&l.NameDepthMax, 50)
	orDefault(&l.GroupOpsMax, 256)
	orDefault(&l.AnnotationsMax, 1000)
	orDefault(&l.AnnotationBytesMax, 64<<10)
	orDefault(&l.AnnotationsBytesMax, 4<<20)
	orDefault(&l.AccountsIdleMax, 1000)
	orDefault(&l.RowsIdleMax, 5_000_000)
	orDefault(&l.SweepGrace, 24*time.Hour)
	orDefault(&l.ConflictRetriesMax, 3)
	orDefault(&l.OutcomeTimeout, 30*time.Second)
	orDefault(&l.TurnTimeout, time.Minute)
	return l
}

// checkName refuses names that no mailbox may have. Text is for the client.
func (l Limits) checkName(name string) error {
	switch {
	case name == "":
		return mail.Errorf(mail.Invalid, "a mailbox name can't be empty")
	case len(name) > l.NameBytesMax:
		return mail.Errorf(mail.Limit, "the mailbox name is longer than %d bytes", l.NameBytesMax)
	}
	return checkParts(name, l.NameDepthMax)
}
