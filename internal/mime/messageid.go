package mime

import "strings"

// messageIDs returns the ids in Message-ID, In-Reply-To or References, without angle brackets
// and needless quoting (RFC 5256 section 3), each once. Of too many it keeps the first, where the thread
// began, and the last ones, which are nearest.
func messageIDs(s string) []string {
	var ids []string
	for rest := s; ; {
		_, after, ok := strings.Cut(rest, "<")
		if !ok {
			break
		}
		id, next, ok := strings.Cut(after, ">")
		if !ok {
			break
		}
		rest = next
		if i := strings.LastIndexByte(id, '<'); i >= 0 {
			id = id[i+1:]
		}
		ids = addID(ids, normalID(id))
	}
	if ids == nil && strings.Contains(s, "@") { // ids without brackets
		for word := range strings.FieldsSeq(s) {
			if strings.Contains(word, "@") {
				ids = addID(ids, normalID(strings.Trim(word, "<>,;")))
			}
		}
	}
	return ids
}

func addID(ids []string, id string) []string {
	if id == "" || len(id) > idBytesMax {
		return ids
	}
	for _, known := range ids {
		if known == id {
			return ids
		}
	}
	if len(ids) == idsMax {
		ids = append(ids[:1], ids[2:]...)
	}
	return append(ids, id)
}

// normalID takes out folding and the quoting of the left side: <"a"@b> is <a@b>.
func normalID(id string) string {
	if strings.ContainsAny(id, " \t") {
		id = strings.Join(strings.Fields(id), "")
	}
	if strings.HasPrefix(id, `"`) {
		l := &lexer{s: id}
		left := l.quoted()
		id = left + id[l.i:]
	}
	return id
}
