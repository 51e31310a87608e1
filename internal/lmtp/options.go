package lmtp

import (
	"time"

	"postfach/internal/delivery"
	"postfach/internal/mail"
	"postfach/internal/metrics"
)

// Options is what a server is made of.
type Options struct {
	Delivery delivery.Deliverer
	Env      *mail.Env
	Metrics  *metrics.Metrics
	Hostname string // in the greeting; default "localhost"
	Limits   Limits
}

// Limits bounds what clients can cost. Zero values mean the defaults.
type Limits struct {
	ConnectionsMax        int           // default 1,000
	RecipientsMax         int           // of a message; default 100, the least (RFC 5321 4.5.3.1.8)
	BadCommandsMax        int           // in a row; default 20
	CommandsPerMessageMax int           // between two messages; default 2,000
	CommandTimeout        time.Duration // for the next command; default 5 minutes (RFC 5321 4.5.3.2.7)
	DataIdleTimeout       time.Duration // for more of a message; default 3 minutes
	DataGrace             time.Duration // a message may take so long whatever its size; default 10 minutes
	DataBytesPerSecondMin int64         // what has to come on average beyond that; default 1,000
	WriteTimeout          time.Duration // a client that takes nothing for so long is dropped; default 1 minute
	OverrunBytesMax       int64         // of a message that is too big already; default 256 MiB
}

// lineBytesMax is how long a command line can be, CR LF included. RFC 5321 4.5.3.1.4 has 512 and
// lets extensions add to it.
const lineBytesMax = 2048

func orDefault[T int | int64 | time.Duration](v *T, d T) {
	if *v == 0 {
		*v = d
	}
}

func (l Limits) withDefaults() Limits {
	orDefault(&l.ConnectionsMax, 1000)
	orDefault(&l.RecipientsMax, 100)
	orDefault(&l.BadCommandsMax, 20)
	orDefault(&l.CommandsPerMessageMax, 2000)
	orDefault(&l.CommandTimeout, 5*time.Minute)
	orDefault(&l.DataIdleTimeout, 3*time.Minute)
	orDefault(&l.DataGrace, 10*time.Minute)
	orDefault(&l.DataBytesPerSecondMin, 1000)
	orDefault(&l.WriteTimeout, time.Minute)
	orDefault(&l.OverrunBytesMax, 256<<20)
	return l
}
