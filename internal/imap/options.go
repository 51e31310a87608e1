package imap

import (
	"crypto/tls"
	"time"

	"postfach/internal/auth"
	"postfach/internal/mail"
	"postfach/internal/mailbox"
	"postfach/internal/metrics"
	"postfach/internal/search"
)

// Options is what a server is made of.
type Options struct {
	Engine  *mailbox.Engine
	Auth    *auth.Authenticator
	TLS     *tls.Config // nil: no STARTTLS, and no implicit TLS
	Env     *mail.Env
	Metrics *metrics.Metrics
	Index   *search.Index   // nil: every search reads the messages
	Workers *search.Workers // shared with whoever makes the index; nil: the searches have their own
	Limits  Limits
	Version string   // told in ID
	Without []string // families whose commands and capabilities are left out, such as UNAUTHENTICATE
}

// Limits bounds what clients can cost. Zero values mean the defaults.
type Limits struct {
	ConnectionsMax           int           // default 20,000
	ConnectionsPerAddressMax int           // before login; default 200
	LoginTimeout             time.Duration // from the connection to a login; default 2 minutes
	IdleTimeout              time.Duration // between commands after login; default 31 minutes (RFC 9051 5.4 wants 30)
	CommandTimeout           time.Duration // for a command's text; default 1 minute
	UploadBytesPerSecondMin  int64         // what a client has to send on average beyond that; default 500
	WriteTimeout             time.Duration // a client that takes nothing for so long is dropped; default 1 minute
	KeepAlive                time.Duration // in IDLE; default 25 minutes, so that phones sleep
	BadCommandsMax           int           // in a row; default 20
	LoginsFailedMax          int           // in a connection; default 10
	MessagesPerCommandMax    int           // that one command may handle (RFC 9738); 0: any number
	MessagesSavedMax         int           // the same, for COPY and APPEND only
	AppendMessagesMax        int           // of one command; default 1,000
	AppendBytesMax           int64         // of all messages of one command; default 1 GiB
	WatchedNamesMax          int           // mailbox names and groups of events in one NOTIFY; default 1,000
	ListingBytesMax          int64         // of memory for what FETCH tells of messages; default 64 MiB, negative: none
	SortBytesMax             int64         // of memory for what SORT and THREAD remember; default 256 MiB
	NamesAtOnceMax           int           // mailbox names told as news at the same time; default 1,000
	UpdatedSearchesMax       int           // whose results a session keeps up to date; default 16
	UpdatedSortedMax         int64         // messages in those of them that are sorted; default 1,000,000
	SearchMailboxesMax       int           // of one ESEARCH; default 1,000
	SearchMessagesMax        int64         // in all mailboxes of one ESEARCH; default 1,000,000
}

func orDefault[T int | int64 | time.Duration](v *T, d T) {
	if *v == 0 {
		*v = d
	}
}

func (l Limits) withDefaults() Limits {
	orDefault(&l.ConnectionsMax, 20_000)
	orDefault(&l.ConnectionsPerAddressMax, 200)
	orDefault(&l.LoginTimeout, 2*time.Minute)
	orDefault(&l.IdleTimeout, 31*time.Minute)
	orDefault(&l.CommandTimeout, time.Minute)
	orDefault(&l.UploadBytesPerSecondMin, 500)
	orDefault(&l.WriteTimeout, time.Minute)
	orDefault(&l.KeepAlive, 25*time.Minute)
	orDefault(&l.BadCommandsMax, 20)
	orDefault(&l.LoginsFailedMax, 10)
	orDefault(&l.AppendMessagesMax, 1000)
	orDefault(&l.AppendBytesMax, 1<<30)
	orDefault(&l.WatchedNamesMax, 1000)
	orDefault(&l.ListingBytesMax, 64<<20)
	orDefault(&l.SortBytesMax, 256<<20)
	orDefault(&l.NamesAtOnceMax, 1000)
	orDefault(&l.UpdatedSearchesMax, 16)
	orDefault(&l.UpdatedSortedMax, 1_000_000)
	orDefault(&l.SearchMailboxesMax, 1000)
	orDefault(&l.SearchMessagesMax, 1_000_000)
	return l
}
