package mailbox

import (
	"postfach/internal/mail"
)

// Annotate sets annotations of a mailbox, or of the account, and takes others away: all or
// none. Result: ModSeq (0 when nothing changed). TooBig: a value is; Limit: there are too many,
// or they are too much together.
type Annotate struct {
	Mailbox mail.MailboxID // 0: of the account
	Entries []AnnotationEntry
}

// AnnotationEntry is the name of an annotation and what it shall be.
type AnnotationEntry struct {
	Name  string
	Value string
	Gone  bool
}

func (op *Annotate) plan(s *state, m mail.ModSeq) ([]mail.Change, Result, error) {
	if op.Mailbox != 0 {
		if _, err := needMailbox(s, op.Mailbox); err != nil {
			return nil, Result{}, err
		}
	}
	last := make(map[string]int, len(op.Entries)) // the last one of a name counts
	for i, e := range op.Entries {
		last[e.Name] = i
	}
	var list []mail.Change
	more, bytes := 0, int64(0)
	for i, e := range op.Entries {
		old, there := s.tree.Annotation(op.Mailbox, e.Name)
		if last[e.Name] != i || there != e.Gone && (e.Gone || old.Value == e.Value) {
			continue
		}
		if there {
			more, bytes = more-1, bytes-annotationBytes(&old)
		}
		c := &mail.Annotated{Stamped: mail.Stamped{ModSeq: m}, Mailbox: op.Mailbox, Name: e.Name, Gone: e.Gone}
		if !e.Gone {
			c.Value = e.Value
			more, bytes = more+1, bytes+int64(len(e.Name)+len(e.Value))
		}
		list = append(list, c)
	}
	return list, Result{}, s.checkAnnotations(op, more, bytes)
}

// checkAnnotations refuses more than there may be. Who takes some away is never refused.
func (s *state) checkAnnotations(op *Annotate, more int, bytes int64) error {
	l, a := &s.limits, &s.tree.annotations
	for _, e := range op.Entries {
		if len(e.Value) > l.AnnotationBytesMax {
			return mail.Errorf(mail.TooBig, "the value of an annotation can have %d bytes at most", l.AnnotationBytesMax)
		}
	}
	switch {
	case more > 0 && len(a.of[op.Mailbox])+more > l.AnnotationsMax:
		return mail.Errorf(mail.Limit, "a mailbox can have %d annotations at most", l.AnnotationsMax)
	case bytes > 0 && a.bytes+bytes > l.AnnotationsBytesMax:
		return mail.Errorf(mail.Limit, "all annotations of an account can have %d bytes at most", l.AnnotationsBytesMax)
	}
	return nil
}

// copyAnnotations gives a new mailbox those of another.
func (s *state) copyAnnotations(from, to mail.MailboxID, m mail.ModSeq) (list []mail.Change, err error) {
	bytes := int64(0)
	for _, n := range s.tree.Annotations(from) {
		list = append(list, &mail.Annotated{Stamped: mail.Stamped{ModSeq: m}, Mailbox: to, Name: n.Name, Value: n.Value})
		bytes += annotationBytes(&n)
	}
	return list, s.checkAnnotations(&Annotate{}, 0, bytes)
}
