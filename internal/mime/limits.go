package mime

// What a message may make the parser remember. Whatever goes beyond is still counted and
// still has its offsets; it is only not looked into.
const (
	partsMax     = 10_000  // parts of a message; the rest is one opaque part
	levelsMax    = 100     // parts inside each other; a container at the last level is opaque
	structureMax = 1 << 20 // bytes of strings and records kept; the rest is one opaque part

	fieldBytesMax   = 8 << 10  // of a header field that is kept
	addressBytesMax = 64 << 10 // of one with addresses or ids
	addressesMax    = 4096     // addresses and group marks of one field
	idsMax          = 100      // ids of one field
	idBytesMax      = 998      // of one id: RFC 5322 2.1.1, a line
	paramsMax       = 100      // parameters of one field
	sectionsMax     = 256      // continuations of one parameter (RFC 2231 3)
	boundaryMax     = 998      // bytes of a boundary: RFC 2046 says 70, a line can't hold more
	languagesMax    = 100

	previewRunesMax  = 200      // RFC 8970 3.3
	previewPlainMax  = 4 << 10  // bytes of a text/plain body looked at
	previewMarkupMax = 32 << 10 // bytes of a text/html body looked at: styles come first
)
