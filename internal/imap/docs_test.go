package imap

import (
	"cmp"
	"flag"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"
)

var fix = flag.Bool("fix", false, "write docs/extensions.md and docs/conformance.md")

// TestDocs: the pages that are made of the families and of the transcripts say what these
// say now.
func TestDocs(t *testing.T) {
	for file, text := range map[string]string{
		"../../docs/extensions.md":  extensionsPage(),
		"../../docs/conformance.md": conformancePage(readClaims(t)),
	} {
		if *fix {
			if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
				t.Error(err)
			}
			continue
		}
		if is, err := os.ReadFile(file); err != nil || string(is) != text {
			t.Errorf("%s is out of date: go test ./internal/imap -run TestDocs -fix (%v)", file, err)
		}
	}
}

// extensionsPage writes a section for each family.
func extensionsPage() string {
	var b strings.Builder
	b.WriteString("# What this server can do\n\n" +
		"One section for each family of `internal/imap/families.go`, from which `TestDocs` makes this page (`-fix`).\n")
	for _, f := range families {
		fmt.Fprintf(&b, "\n## %s\n\n%s. %s\n\n", f.name, f.rfc, f.doc)
		v := reflect.ValueOf(*f)
		for i := range v.NumField() {
			if names := rowNames(v.Field(i)); len(names) > 0 {
				fmt.Fprintf(&b, "- %s: `%s`\n", rowKind(v.Type().Field(i).Name), strings.Join(names, "`, `"))
			}
		}
	}
	return b.String()
}

// rowNames are the names in a family's rows of one kind. Kinds that have none, and what
// is no list of rows, yield nothing.
func rowNames(rows reflect.Value) (names []string) {
	if rows.Kind() != reflect.Slice {
		return nil
	}
	for i := range rows.Len() {
		row := rows.Index(i)
		if row.Kind() == reflect.String {
			names = append(names, row.String())
			continue
		}
		if row.Kind() != reflect.Struct {
			continue
		}
		for _, field := range []string{"name", "word"} {
			if name := row.FieldByName(field); name.IsValid() {
				names = append(names, commandForms(row, name.String())...)
			}
		}
	}
	return names
}

// commandForms are a command's own name and that with UID, whichever there are.
func commandForms(row reflect.Value, name string) []string {
	isSet := func(field string) bool {
		v := row.FieldByName(field)
		return v.IsValid() && v.Kind() == reflect.Bool && v.Bool()
	}
	switch {
	case isSet("uidOnly"):
		return []string{"UID " + name}
	case isSet("uid"):
		return []string{name, "UID " + name}
	}
	return []string{name}
}

// rowKind turns a field's name into words: fetchItems are FETCH items.
func rowKind(field string) string {
	switch i := strings.IndexFunc(field, unicode.IsUpper); {
	case field == "codes":
		return "response codes"
	case field == "enables":
		return "ENABLE"
	case i < 0:
		return field
	default:
		return strings.ToUpper(field[:i]) + " " + strings.ToLower(field[i:])
	}
}

// claim is what a transcript's comments say that it shows: a duty by "# must", a section
// by "# rfc".
type claim struct {
	rfc     int
	section string
	duty    string
}

var (
	mustLine = regexp.MustCompile(`^# must (\d+) ([^:]+): (.+)$`)
	rfcPart  = regexp.MustCompile(`\brfc (\d+) ((?:[^;,]|, [^r])+)`)
)

// readClaims returns the claims and which transcripts make them, as dir/name.
func readClaims(t *testing.T) map[claim][]string {
	t.Helper()
	files, err := filepath.Glob("testdata/*/*.imap")
	if err != nil {
		t.Fatal(err)
	}
	claims := map[claim][]string{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name, _ := filepath.Rel("testdata", strings.TrimSuffix(file, ".imap"))
		for line := range strings.Lines(string(text)) {
			line = strings.TrimSpace(line)
			list := claimsOf(line)
			if len(list) == 0 && (strings.HasPrefix(line, "# must ") || strings.HasPrefix(line, "# rfc ")) {
				t.Errorf("%s: %q is neither \"# rfc N SECTION, SECTION\" nor \"# must N SECTION: the duty\"", file, line)
			}
			for _, c := range list {
				if !slices.Contains(claims[c], filepath.ToSlash(name)) {
					claims[c] = append(claims[c], filepath.ToSlash(name))
				}
			}
		}
	}
	return claims
}

// claimsOf reads a comment line. A word behind a section, such as a response code, says
// which part of it is meant.
func claimsOf(line string) (list []claim) {
	if m := mustLine.FindStringSubmatch(line); m != nil {
		rfc, _ := strconv.Atoi(m[1])
		return []claim{{rfc, m[2], m[3]}}
	}
	if !strings.HasPrefix(line, "# rfc ") {
		return nil
	}
	for _, m := range rfcPart.FindAllStringSubmatch(line, -1) {
		rfc, _ := strconv.Atoi(m[1])
		for item := range strings.SplitSeq(m[2], ",") {
			item = strings.TrimSpace(item)
			word, _, _ := strings.Cut(item, " ")
			if word = strings.TrimSuffix(word, ":"); word == "" {
				return nil
			}
			if word == "appendix" {
				word = item
			}
			if n := len(list); unicode.IsDigit(rune(word[0])) || strings.HasPrefix(word, "appendix ") || n == 0 {
				list = append(list, claim{rfc: rfc, section: word})
			} else if strings.Contains(list[n-1].section, " ") {
				section, _, _ := strings.Cut(list[n-1].section, " ")
				list = append(list, claim{rfc: rfc, section: section + " " + word})
			} else {
				list[n-1].section += " " + word
			}
		}
	}
	return list
}

// conformancePage writes a table for each RFC, in the order of its sections.
func conformancePage(claims map[claim][]string) string {
	var b strings.Builder
	b.WriteString("# Which transcripts show what\n\n" +
		"Made by `TestDocs` (`-fix`) from the lines `# must` and `# rfc` of `internal/imap/testdata/*/*.imap`: what each RFC\n" +
		"demands of a server, section by section, and the transcripts that fail when the server does otherwise. Sections\n" +
		"without a duty are those that transcripts cover beside.\n")
	last := 0
	for _, c := range slices.SortedFunc(maps.Keys(claims), compareClaims) {
		if c.rfc != last {
			last = c.rfc
			fmt.Fprintf(&b, "\n## RFC %d%s\n\n| section | duty | transcripts |\n|---|---|---|\n", c.rfc, familiesOf(c.rfc))
		}
		links := make([]string, len(claims[c]))
		for i, name := range claims[c] {
			links[i] = fmt.Sprintf("[%s](../internal/imap/testdata/%s.imap)", name, name)
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", c.section, strings.ReplaceAll(c.duty, "|", `\|`), strings.Join(links, ", "))
	}
	return b.String()
}

// familiesOf names the extensions that an RFC defines.
func familiesOf(rfc int) string {
	var names []string
	for _, f := range families {
		if f.rfc == "RFC "+strconv.Itoa(rfc) {
			names = append(names, f.name)
		}
	}
	if names == nil {
		return ""
	}
	return ": " + strings.Join(names, ", ")
}

// compareClaims orders by RFC and section, number by number; within a section those that
// name a duty come first.
func compareClaims(a, b claim) int {
	return cmp.Or(
		cmp.Compare(a.rfc, b.rfc),
		slices.Compare(sectionNumbers(a.section), sectionNumbers(b.section)),
		cmp.Compare(a.section, b.section),
		-cmp.Compare(min(len(a.duty), 1), min(len(b.duty), 1)),
		cmp.Compare(a.duty, b.duty))
}

// sectionNumbers puts appendices last, each in the order of its points.
func sectionNumbers(section string) (numbers []int) {
	if item, ok := strings.CutPrefix(section, "appendix "); ok {
		point, _ := strconv.Atoi(item[1:][min(1, len(item)-1):])
		return []int{1000, int(item[0]), point}
	}
	section, _, _ = strings.Cut(section, " ")
	for part := range strings.SplitSeq(section, ".") {
		n, _ := strconv.Atoi(part)
		numbers = append(numbers, n)
	}
	return numbers
}

// TestFamiliesAreShown: each family has a transcript that names its RFC, and each of its
// capabilities shows in a state that its row allows.
func TestFamiliesAreShown(t *testing.T) {
	covered := map[int]bool{}
	for c := range readClaims(t) {
		covered[c.rfc] = true
	}
	shown := " " + strings.Join(capabilitiesInAllStates(t), " ") + " "
	for _, f := range families {
		rfc, _ := strconv.Atoi(strings.Fields(f.rfc + " 0")[1])
		if draft := strings.HasPrefix(f.rfc, "draft-"); !draft && !covered[rfc] {
			t.Errorf("%s: no transcript says \"# rfc %d\" or \"# must %d\"", f.name, rfc, rfc)
		}
		for _, c := range f.capabilities {
			word := " " + c.word
			if c.value == nil {
				word += " "
			}
			if !strings.Contains(shown, word) {
				t.Errorf("%s: the capability %s is never shown", f.name, c.word)
			}
		}
	}
}

// capabilitiesInAllStates is what CAPABILITY says to strangers on the network, with TLS
// and without, to one on loopback, and after a login.
func capabilitiesInAllStates(t *testing.T) (all []string) {
	r := newRig(t)
	ask := func() {
		words := strings.Fields(strings.TrimSuffix(r.do("b CAPABILITY"), "b OK done\r\n"))[1:]
		if sorted := slices.Sorted(slices.Values(words)); len(slices.Compact(sorted)) < len(words) {
			t.Errorf("a capability comes twice: %v", words)
		}
		all = append(all, words...)
	}
	ask() // selected, and with what has to be configured
	r.s.server.limits.MessagesPerCommandMax = 1000
	ask()
	r.s.server.limits.MessagesPerCommandMax, r.s.server.limits.MessagesSavedMax = 0, 1000
	r.s.unselect()
	ask()
	r.s.state = notAuthenticated
	ask()
	r.s.remote, r.s.server.tls = netip.MustParseAddr("192.0.2.1"), testTLS()
	ask()
	return all
}
