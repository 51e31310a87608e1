package pebble

import (
	"encoding/binary"

	"postfach/internal/mail"
)

// Outcomes are kept by the hour, so that the sweeper can drop whole hours at once.
const (
	outcomeHours = 24
	hourSeconds  = 3600
)

func outcomeHour(now int64) uint32 {
	return uint32(min(max(now, 0)/hourSeconds, 1<<31))
}

func outcomeKey(hour uint32, id mail.AccountID, op mail.OpID) key {
	return append(newKey(keyOutcome).u32(hour).account(id), op[:]...)
}

func hourOf(k []byte) uint32 { return binary.BigEndian.Uint32(k[1:]) }

// opOf reads whose outcome a key is of.
func opOf(k []byte) (id mail.AccountID, op mail.OpID) {
	return mail.AccountID(binary.BigEndian.Uint64(k[5:])), mail.OpID(k[13:])
}
