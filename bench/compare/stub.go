package compare

import "io"

func (r *Record) WriteMarkdown(w io.Writer) error { return nil }
func (r *Record) WritePage(w io.Writer) error     { return nil }
func (r *Record) WriteText(w io.Writer) error     { return nil }
