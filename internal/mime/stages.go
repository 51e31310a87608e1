package mime

import (
	"slices"

	"golang.org/x/text/transform"
)

// stages are filters one behind the other, each with its output: what PlainText does, for
// bytes that are in memory.
type stages []stage

type stage struct {
	filter
	out []byte
}

// textStages make the text of a part in UTF-8 without markup of the bytes of its body.
func textStages(part *Part) stages {
	s := make(stages, 0, 3)
	if f := decoderOf(lowerString(part.Encoding)); f != nil {
		s = append(s, stage{filter: f})
	}
	s = append(s, stage{filter: newCharsetFilter(param(part.Params, "charset"))})
	if part.Type == "text" && part.Subtype == "html" {
		s = append(s, stage{filter: &markupStripper{}})
	}
	return s
}

// next returns what b becomes, as far as that is certain; it is valid until the next call.
func (s stages) next(b []byte) []byte {
	for i := range s {
		s[i].out = s[i].filter.next(s[i].out[:0], b)
		b = s[i].out
	}
	return b
}

// end returns what was uncertain.
func (s stages) end() (b []byte) {
	for i := range s {
		s[i].out = s[i].filter.end(s[i].filter.next(s[i].out[:0], b))
		b = s[i].out
	}
	return b
}

// charsetFilter is charsetReader as a filter.
type charsetFilter struct {
	decoder transform.Transformer
	utf8    bool   // it leaves ASCII as it is
	rest    []byte // of a character that has not all come
}

func newCharsetFilter(charset string) *charsetFilter {
	f := &charsetFilter{decoder: charsetDecoder(charset)}
	_, f.utf8 = f.decoder.(*utf8Repair)
	return f
}

func (f *charsetFilter) next(out, src []byte) []byte {
	if f.utf8 && len(f.rest) == 0 {
		n := asciiBytes(src)
		out, src = append(out, src[:n]...), src[n:]
	}
	if len(src) == 0 {
		return out
	}
	return f.convert(out, src, false)
}

func (f *charsetFilter) end(out []byte) []byte { return f.convert(out, nil, true) }

func (f *charsetFilter) convert(out, src []byte, last bool) []byte {
	f.rest = append(f.rest, src...)
	in := f.rest
	for {
		out = slices.Grow(out, 2*len(in)+16)
		written, read, err := f.decoder.Transform(out[len(out):cap(out)], in, last)
		out, in = out[:len(out)+written], in[read:]
		if err != transform.ErrShortDst {
			break // what is left is the beginning of a character
		}
	}
	f.rest = append(f.rest[:0], in...)
	return out
}

// asciiBytes counts the bytes before the first that is not ASCII.
func asciiBytes(b []byte) int {
	for i, c := range b {
		if c >= 0x80 {
			return i
		}
	}
	return len(b)
}
