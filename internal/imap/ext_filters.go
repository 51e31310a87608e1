package imap

import (
	"io"
	"slices"
	"strings"

	"postfach/internal/mailbox"
	"postfach/internal/mime"
	"postfach/internal/search"
	"postfach/internal/wire"
)

// extFilters gives names to searches (RFC 5466). They are annotations of the server.
var extFilters = family{
	name: "FILTERS",
	rfc:  "RFC 5466",
	doc:  "SEARCH FILTER looks for what an annotation of the server says.",
	capabilities: []capability{
		{word: "FILTERS", when: loggedIn},
	},
	searchKeys: []searchKey{{"FILTER", filterKey}},
	metadataEntries: []metadataEntry{
		{name: privateFilters, server: true, check: checkFilter},
		{name: sharedFilters, server: true, check: checkFilter},
	},
	codes: []string{"BADCHARSET", "LIMIT", "UNDEFINED-FILTER"},
}

const (
	privateFilters = "/private/filters/values/"
	sharedFilters  = "/shared/filters/values/"

	// filterNestingMax is how many filters can be inside each other (RFC 5466 3.1 wants 3).
	filterNestingMax = 10
	// filterBytesMax is how much text the filters of one command can have.
	filterBytesMax = 128 << 10
)

// filtering is what a search knows of the filters in it.
type filtering struct {
	names    []string // of those that are being read, one inside the other
	bytes    int      // of all so far
	checking bool     // nothing is searched for: other filters need not be there yet
}

// filterKey reads the name of a filter, and what that stands for as one key (RFC 5466 3.1).
func filterKey(q *searchRequest, p *wire.Parser) search.Key {
	p.SP()
	given := string(p.Atom())
	name := strings.ToLower(given)
	if strings.Contains(name, "/") {
		p.Fail("the name of a filter")
	}
	switch {
	case p.Err() != nil || q.filters.checking:
		return search.All()
	case q.foreign: // RFC 5466 3.1: whatever else is wrong with it
		q.refused = &refusal{"BAD", "BADCHARSET (UTF-8 US-ASCII)", "filters are in UTF-8"}
	}
	if q.refused != nil {
		return search.All()
	}
	text, there := q.s.filter(name)
	if !there || slices.Contains(q.filters.names, name) || len(q.filters.names) == filterNestingMax {
		q.refuse(no("UNDEFINED-FILTER "+given, "there is no such filter"))
		return search.All()
	}
	if q.filters.bytes += len(text); q.filters.bytes > filterBytesMax {
		q.refuse(no("LIMIT", "these filters are too long for one search"))
		return search.All()
	}
	q.filters.names = append(q.filters.names, name)
	key, err := q.parseFilter(text, p.SavedSet)
	q.filters.names = q.filters.names[:len(q.filters.names)-1]
	if err != nil {
		q.refuse(no("", "the filter "+given+" is not what can be searched for"))
	}
	return key
}

// filter finds the text of a filter (RFC 5466 3.2).
func (s *session) filter(name string) (text string, there bool) {
	tree := s.account.Tree()
	s.depend(tree.Ticket)
	for _, root := range []string{privateFilters, sharedFilters} {
		if n, there := tree.Annotation(0, root+name); there {
			return n.Value, true
		}
	}
	return "", false
}

// parseFilter reads a text as the keys of a search. It is UTF-8, whatever the command's texts
// are, and may have literals.
func (q *searchRequest) parseFilter(text string, savedSet bool) (search.Key, error) {
	texts := q.texts
	q.texts = mime.Charset{}
	defer func() { q.texts = texts }()
	r := wire.NewReader(strings.NewReader(text+"\r\n"), wire.Limits{LineBytesMax: filterBytesMax})
	if err := r.Begin(); err != nil {
		return search.All(), err
	}
	p := r.Parser()
	p.QuotedUTF8, p.SavedSet = true, savedSet
	key := q.keys(p)
	p.End()
	if err := p.Err(); err != nil {
		return search.All(), err
	}
	if err := r.Begin(); err != io.EOF {
		return search.All(), wire.ErrBareLF // there is another line
	}
	return key, nil
}

// checkFilter refuses what could not be searched for later (RFC 5466 3.2).
func checkFilter(s *session, _ annotated, e mailbox.AnnotationEntry) error {
	name := e.Name[strings.LastIndexByte(e.Name, '/')+1:]
	switch {
	case e.Gone:
		return nil
	case e.Name != privateFilters+name && e.Name != sharedFilters+name, !isFilterName(name):
		return no("CANNOT", "a filter can't have this name")
	}
	byNumber := s.byNumber
	q := &searchRequest{s: s, filters: filtering{checking: true}}
	_, err := q.parseFilter(e.Value, true)
	s.byNumber = byNumber
	if err == nil {
		err = q.refused
	}
	if err != nil {
		return no("CANNOT", "this is not what can be searched for")
	}
	return nil
}

// isFilterName tells whether a name is an atom (RFC 5466 4, filter-name).
func isFilterName(name string) bool {
	p := wire.NewParser([]byte(name))
	p.Atom()
	p.End()
	return p.Err() == nil
}
