package wire

// Mark begins a response that Undo can take back while all of it waits. There is room for so
// many bytes of it then, if a buffer has as many.
func (w *Writer) Mark(room int) {
	w.space(room)
	w.mark, w.marked = w.n, w.err == nil
}

// Undo ends what Mark began. If the source of a literal has failed before anything of the
// response left, it takes the response back and returns the source's error.
func (w *Writer) Undo() (err error) {
	if w.marked && !w.final {
		if err, w.err = w.err, nil; err != nil {
			w.n, w.lines = w.mark, w.mark
		}
	}
	w.marked = false
	return err
}

// fail ends a literal whose source has failed. When a part of it has left, nothing
// sensible can follow.
func (w *Writer) fail(err error) {
	if w.marked {
		w.err = err
		return
	}
	w.poison(err)
}
