package wire

// Limits bounds what one command may cost. A zero field takes its default.
type Limits struct {
	// LineBytesMax is the text of one command without literals. RFC 2683
	// 3.2.1.5 wants 8,000 bytes to work; the default, 128 KiB, holds any 10,000
	// UIDs one by one.
	LineBytesMax int
	// LiteralBytesMax is the sum of a command's literals that are read into
	// memory (AString, String, NString). Default 64 KiB. Literals that are
	// streamed are bounded by whoever accepts them.
	LiteralBytesMax int
	// LiteralsMax is the number of literals in one command. Default 1,000.
	LiteralsMax int
	// SkipBytesMax is how much Finish reads to find the next command; above
	// it the connection ends. Default 64 MiB.
	SkipBytesMax int64
	// NestingMax is the depth of parentheses that Parser.Enter allows.
	// Default 100.
	NestingMax int
}

func (l Limits) withDefaults() Limits {
	if l.LineBytesMax <= 0 {
		l.LineBytesMax = 128 << 10
	}
	if l.LiteralBytesMax <= 0 {
		l.LiteralBytesMax = 64 << 10
	}
	if l.LiteralsMax <= 0 {
		l.LiteralsMax = 1000
	}
	if l.SkipBytesMax <= 0 {
		l.SkipBytesMax = 64 << 20
	}
	if l.NestingMax <= 0 {
		l.NestingMax = 100
	}
	return l
}
