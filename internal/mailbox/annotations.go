package mailbox

import (
	"cmp"
	"iter"
	"maps"
	"slices"

	"postfach/internal/mail"
)

// annotations are named values of mailboxes and of the account (mailbox 0), by name. A list
// never changes: an edit puts another in its place.
type annotations struct {
	of    map[mail.MailboxID][]mail.Annotation
	bytes int64 // of all names and values
}

// Annotations returns those of a mailbox, or of the account (0), by name. They must not be
// changed.
func (t *Tree) Annotations(id mail.MailboxID) []mail.Annotation { return t.annotations.of[id] }

// Annotation finds one of them.
func (t *Tree) Annotation(id mail.MailboxID, name string) (mail.Annotation, bool) {
	list := t.annotations.of[id]
	i, found := searchAnnotation(list, name)
	if !found {
		return mail.Annotation{}, false
	}
	return list[i], true
}

// Reannotated yields what has been set or taken away since an earlier tree, of mailboxes that
// are there now and of the account, by mailbox and name. What is gone has no ModSeq.
func (t *Tree) Reannotated(before *Tree) iter.Seq[mail.Annotation] {
	return func(yield func(mail.Annotation) bool) {
		ids := slices.AppendSeq(slices.Collect(maps.Keys(t.annotations.of)), maps.Keys(before.annotations.of))
		slices.Sort(ids)
		for _, id := range slices.Compact(ids) {
			old, now := before.annotations.of[id], t.annotations.of[id]
			there := id == 0 || t.ByID(id) != nil
			if !there || len(old) > 0 && len(now) == len(old) && &old[0] == &now[0] {
				continue
			}
			for _, n := range differences(id, old, now) {
				if !yield(n) {
					return
				}
			}
		}
	}
}

// differences merges two lists, and returns what is not the same in both.
func differences(id mail.MailboxID, old, now []mail.Annotation) (list []mail.Annotation) {
	for len(old) > 0 || len(now) > 0 {
		switch {
		case len(now) == 0 || len(old) > 0 && old[0].Name < now[0].Name:
			list = append(list, mail.Annotation{Mailbox: id, Name: old[0].Name})
			old = old[1:]
		case len(old) == 0 || now[0].Name < old[0].Name:
			list, now = append(list, now[0]), now[1:]
		default:
			if old[0].ModSeq != now[0].ModSeq {
				list = append(list, now[0])
			}
			old, now = old[1:], now[1:]
		}
	}
	return list
}

func searchAnnotation(list []mail.Annotation, name string) (int, bool) {
	return slices.BinarySearchFunc(list, name, func(n mail.Annotation, name string) int { return cmp.Compare(n.Name, name) })
}

func annotationBytes(n *mail.Annotation) int64 { return int64(len(n.Name) + len(n.Value)) }

// annotate takes a change into a tree that may be edited.
func (t *Tree) annotate(c *mail.Annotated) {
	list := slices.Clone(t.annotations.of[c.Mailbox])
	i, found := searchAnnotation(list, c.Name)
	if found {
		t.annotations.bytes -= annotationBytes(&list[i])
	}
	n := mail.Annotation{Mailbox: c.Mailbox, Name: c.Name, Value: c.Value, ModSeq: c.ModSeq}
	switch {
	case c.Gone && found:
		list = slices.Delete(list, i, i+1)
	case c.Gone:
	case found:
		list[i] = n
	default:
		list = slices.Insert(list, i, n)
	}
	if !c.Gone {
		t.annotations.bytes += annotationBytes(&n)
	}
	t.annotations.set(c.Mailbox, list)
}

// unannotate drops those of a mailbox that is gone.
func (t *Tree) unannotate(id mail.MailboxID) {
	list := t.annotations.of[id]
	for i := range list {
		t.annotations.bytes -= annotationBytes(&list[i])
	}
	t.annotations.set(id, nil)
}

// set replaces a list. The map may be another tree's, too.
func (a *annotations) set(id mail.MailboxID, list []mail.Annotation) {
	if len(list) == 0 && a.of[id] == nil {
		return
	}
	of := maps.Clone(a.of)
	if of == nil {
		of = make(map[mail.MailboxID][]mail.Annotation, 1)
	}
	if of[id] = list; len(list) == 0 {
		delete(of, id)
	}
	a.of = of
}
