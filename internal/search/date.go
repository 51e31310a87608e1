package search

import (
	"context"
	"time"

	"postfach/internal/mail"
)

// Day is a calendar day, counted from 1 January 1970.
type Day int64

const daySeconds = 24 * 60 * 60

// DayOf returns the day of a moment, in the moment's own zone.
func DayOf(t time.Time) Day {
	_, offset := t.Zone()
	return dayOf(t.Unix() + int64(offset))
}

func dayOf(localSeconds int64) Day {
	day := localSeconds / daySeconds
	if localSeconds%daySeconds < 0 {
		day--
	}
	return Day(day)
}

func stampDay(s mail.Stamp) Day { return dayOf(s.Unix + int64(s.ZoneMinutes)*60) }

// Internal returns a key on the day of INTERNALDATE, "disregarding time and
// timezone" (RFC 9051 6.4.4, BEFORE).
func Internal(test func(Day) bool) Key {
	return Test(func(r *Row) bool { return test(stampDay(r.Fixed.Date)) })
}

// Sent returns a key on the day of the Date header field, likewise (RFC 9051
// 6.4.4, SENTBEFORE). A message without a date matches no day.
func Sent(test func(Day) bool) Key { return &sentKey{test: test} }

type sentKey struct {
	indexed
	test func(Day) bool
}

func (*sentKey) cost() cost   { return costStructure }
func (*sentKey) plan(*Search) {}

func (k *sentKey) sets(p *planning) (sets, error) {
	return k.know(p, func() (sets, error) { return p.days(k.test) })
}

func (k *sentKey) match(ctx context.Context, s *Search) (bool, error) {
	if yes, known := k.known(s); known {
		return yes, nil
	}
	if err := s.openStructure(ctx); err != nil {
		return false, err
	}
	date := s.structure.Date
	return !date.IsZero() && k.test(DayOf(date)), nil
}
