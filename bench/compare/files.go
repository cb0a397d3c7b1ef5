package compare

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// WriteFiles writes the report, its page and the raw data below dir.
func (r *Record) WriteFiles(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make directory of the report: %w", err)
	}
	for name, write := range map[string]func(io.Writer) error{
		"comparison.md": r.WriteMarkdown, "comparison.html": r.WritePage, "comparison.json": r.writeJSON,
	} {
		if err := writeFile(filepath.Join(dir, name), write); err != nil {
			return err
		}
	}
	return nil
}

func writeFile(path string, write func(io.Writer) error) error {
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	buffered := bufio.NewWriter(file)
	if err := errors.Join(write(buffered), buffered.Flush(), file.Close()); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// writeJSON keeps one line for each outcome, so that the file is small and still can be compared by eye.
func (r *Record) writeJSON(w io.Writer) error {
	head := *r
	head.Outcomes, head.Steady = nil, nil
	text, err := json.MarshalIndent(head, "", " ")
	if err != nil {
		return fmt.Errorf("encode record: %w", err)
	}
	fmt.Fprintf(w, "{\n\"run\": %s", text)
	if err := errors.Join(writeLines(w, "outcomes", anyOf(r.Outcomes)), writeLines(w, "steady", anyOf(r.Steady))); err != nil {
		return err
	}
	_, err = fmt.Fprint(w, "\n}\n")
	return err
}

func writeLines(w io.Writer, name string, list []any) error {
	fmt.Fprintf(w, ",\n%q: [", name)
	between := "\n"
	for _, item := range list {
		line, err := json.Marshal(item)
		if err != nil {
			return fmt.Errorf("encode %s: %w", name, err)
		}
		fmt.Fprintf(w, "%s%s", between, line)
		between = ",\n"
	}
	_, err := fmt.Fprint(w, "\n]")
	return err
}

func anyOf[T any](list []T) (all []any) {
	for _, x := range list {
		all = append(all, x)
	}
	return all
}
