package transcript

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// bindings are the values that variables have got.
type bindings map[string]string

// variable is a variable, or "$$". Keywords such as $Forwarded begin with a
// capital and are none.
var variable = regexp.MustCompile(`\$\$|\$[a-z][a-z0-9]*|\.\.\.`)

// matches tells whether a line that was said is the expected one, and binds the
// variables that it sees for the first time.
func (b bindings) matches(want, got line) bool {
	if want.literal != got.literal {
		return false
	}
	var fresh []string
	var re strings.Builder
	re.WriteString("^")
	at := 0
	for _, m := range variable.FindAllStringIndex(want.text, -1) {
		re.WriteString(regexp.QuoteMeta(normal(want.text[at:m[0]])))
		name := want.text[m[0]:m[1]]
		at = m[1]
		value, bound := b[name]
		switch {
		case name == "...":
			re.WriteString(".*")
		case name == "$$":
			re.WriteString(`\$`)
		case bound:
			re.WriteString(regexp.QuoteMeta(value))
		default:
			fresh = append(fresh, name)
			re.WriteString(`([^ ()\[\]{}"]+)`)
		}
	}
	re.WriteString(regexp.QuoteMeta(normal(want.text[at:])) + "$")
	m := regexp.MustCompile(re.String()).FindStringSubmatch(got.text)
	if m == nil {
		return false
	}
	for i, name := range fresh {
		if old, ok := b[name]; ok && old != m[i+1] {
			return false
		}
		b[name] = m[i+1]
	}
	return true
}

// normal spells the escapes of a text in the one way.
func normal(text string) string {
	out := make([]string, 0, 2)
	for {
		i := strings.Index(text, more)
		if i < 0 {
			break
		}
		out = append(out, escape(unescape(text[:i]))+more)
		text = text[i+len(more):]
	}
	s := escape(unescape(text))
	// A space before a variable is not the last of its line.
	if strings.HasSuffix(text, " ") {
		s = strings.TrimSuffix(s, "<SP>") + " "
	}
	return strings.Join(out, "") + s
}

// fill puts the values of variables into what a client says.
func (b bindings) fill(text string) (string, error) {
	var err error
	out := variable.ReplaceAllStringFunc(text, func(name string) string {
		value, ok := b[name]
		switch {
		case name == "$$":
			return "$"
		case name == "...":
			return name
		case !ok:
			err = fmt.Errorf("%s has no value yet", name)
		}
		return value
	})
	return out, err
}

// check compares two numbers: "$a > $b" (or >=, =).
func (b bindings) check(text string) error {
	filled, err := b.fill(text)
	if err != nil {
		return err
	}
	words := strings.Fields(filled)
	if len(words) != 3 {
		return fmt.Errorf("check wants: number, > or >= or =, number")
	}
	x, err1 := strconv.ParseUint(words[0], 10, 64)
	y, err2 := strconv.ParseUint(words[2], 10, 64)
	if err1 != nil || err2 != nil {
		return fmt.Errorf("not numbers: %s", filled)
	}
	if op := words[1]; x > y && op != "=" || x == y && (op == "=" || op == ">=") {
		return nil
	}
	return fmt.Errorf("it is not so that %s", filled)
}

// name writes the variables again for their values, in lines that -rewrite writes.
// Short values are too likely to be something else.
func (b bindings) name(text string) string {
	text = strings.ReplaceAll(text, "$", "$$")
	text = regexp.MustCompile(`\$\$([A-Z])`).ReplaceAllString(text, `$$$1`)
	for name, value := range b {
		if len(value) > 5 {
			text = strings.ReplaceAll(text, value, name)
		}
	}
	return text
}
