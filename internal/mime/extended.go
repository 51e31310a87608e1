package mime

import (
	"cmp"
	"slices"
	"strings"
)

// rawParams are parameters as written, before RFC 2231 is undone. Their number is bounded by
// the length of the field.
type rawParams []rawParam

type rawParam struct {
	name     string // in lower case, without the asterisks
	section  int    // of a continuation, else -1 (RFC 2231 3)
	extended bool   // percent-encoded, maybe with a charset (RFC 2231 4)
	value    string
	order    int
}

func (r *rawParams) add(name, value string) {
	p := rawParam{section: -1, value: value, order: len(*r)}
	name = lowerString(name)
	if base, ok := strings.CutSuffix(name, "*"); ok && base != "" {
		name, p.extended = base, true
	}
	if i := strings.LastIndexByte(name, '*'); i > 0 {
		section, ok := sectionNumber(name[i+1:])
		if !ok {
			return
		}
		name, p.section = name[:i], section
	}
	p.name = name
	if *r == nil {
		*r = make(rawParams, 0, 2)
	}
	*r = append(*r, p)
}

func sectionNumber(s string) (int, bool) {
	n := 0
	for _, c := range []byte(s) {
		if c < '0' || c > '9' || n >= sectionsMax {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, s != "" && n < sectionsMax
}

// params puts continuations together and decodes values, in the order in which the
// parameters begin; of several with one name the first counts.
func (r rawParams) params() []Param {
	if params, ok := r.plain(); ok {
		return params
	}
	type made struct {
		Param
		order int
	}
	var all []made
	slices.SortStableFunc(r, func(a, b rawParam) int {
		return cmp.Or(strings.Compare(a.name, b.name), cmp.Compare(a.section, b.section))
	})
	for i := 0; i < len(r); {
		n := 1
		if r[i].section >= 0 {
			for i+n < len(r) && r[i+n].name == r[i].name {
				n++
			}
		}
		run := r[i : i+n]
		order := slices.MinFunc(run, func(a, b rawParam) int { return cmp.Compare(a.order, b.order) }).order
		all = append(all, made{join(run), order})
		i += n
	}
	slices.SortFunc(all, func(a, b made) int { return cmp.Compare(a.order, b.order) })
	var params []Param
	seen := map[string]bool{}
	for _, p := range all {
		if len(params) < paramsMax && !seen[p.Name] {
			seen[p.Name] = true
			params = append(params, p.Param)
		}
	}
	return params
}

// plainMax bounds the names that are compared one by one.
const plainMax = min(16, paramsMax)

// plain is params where no value is encoded or in pieces; that is nearly always so.
func (r rawParams) plain() ([]Param, bool) {
	if len(r) == 0 || len(r) > plainMax {
		return nil, len(r) == 0
	}
	for i := range r {
		if r[i].extended || r[i].section >= 0 || strings.ContainsAny(r[i].value, "\x00\r\n") {
			return nil, false
		}
	}
	params := make([]Param, 0, len(r))
	for i := range r {
		if !slices.ContainsFunc(params, func(p Param) bool { return p.Name == r[i].name }) {
			params = append(params, Param{r[i].name, strings.Trim(r[i].value, " \t")})
		}
	}
	return params, true
}

// join makes one parameter of its pieces, which are sorted by section. A gap ends it, a
// second piece with the same number is left out.
func join(pieces []rawParam) Param {
	first := pieces[0]
	name, charset := first.name, ""
	var value []byte
	next := first.section
	for _, piece := range pieces {
		if piece.section < next {
			continue
		}
		if piece.section > next {
			break
		}
		next++
		text := piece.value
		if !piece.extended {
			value = append(value, text...)
			continue
		}
		if len(value) == 0 && next == first.section+1 {
			charset, text = cutCharset(text)
		}
		value = appendPercentDecoded(value, text)
	}
	if !first.extended {
		return Param{name, clean(value)}
	}
	return Param{name + "*", clean([]byte(toUTF8(charset, value)))}
}

// cutCharset splits charset'language'text. Text without these quotes is taken as it is.
func cutCharset(s string) (charset, text string) {
	charset, rest, ok := strings.Cut(s, "'")
	if !ok {
		return "", s
	}
	if _, text, ok = strings.Cut(rest, "'"); !ok {
		return "", s
	}
	return charset, text
}

func appendPercentDecoded(dst []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			high, low := hexDigit(s[i+1]), hexDigit(s[i+2])
			if high >= 0 && low >= 0 {
				dst = append(dst, byte(high<<4|low))
				i += 2
				continue
			}
		}
		dst = append(dst, s[i])
	}
	return dst
}

// extendedValue writes a value in the form of RFC 2231 section 4.
func extendedValue(s string) string {
	const digits = "0123456789ABCDEF"
	out := []byte("utf-8''")
	for _, c := range []byte(s) {
		if isTokenByte(c) && c != '*' && c != '\'' && c != '%' {
			out = append(out, c)
		} else {
			out = append(out, '%', digits[c>>4], digits[c&15])
		}
	}
	return string(out)
}

// hexDigit returns the value of a hexadecimal digit, or -1.
func hexDigit(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	}
	return -1
}
