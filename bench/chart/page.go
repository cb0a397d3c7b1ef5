package chart

import (
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io"
	"math"
	"strconv"
)

// ErrUneven is returned when a series has not a value for each place of its chart.
var ErrUneven = errors.New("a series has not as many values as its chart has places")

// Page is what is written.
type Page struct {
	Title    string
	Intro    []string // paragraphs
	Sections []Section
}

// Section is a part of the page under a heading of its own. What is empty is left out.
type Section struct {
	Title  string
	Text   []string
	Tables []Table
	Charts []Chart
}

// Table is rows of cells. Cells that read as numbers stand to the right.
type Table struct {
	Head []string
	Rows [][]string
}

// Chart is some lines over the same places.
type Chart struct {
	Title  string   `json:"title"`
	XLabel string   `json:"xlabel"`
	YLabel string   `json:"ylabel"`
	LogX   bool     `json:"logx"`
	LogY   bool     `json:"logy"`
	X      []Value  `json:"x"`
	Lines  []Series `json:"lines"`
}

// Series is one line.
type Series struct {
	Name   string  `json:"name"`
	Values []Value `json:"values"`
}

// Value is a number of a chart. What is no number (NaN) leaves a hole in the line.
type Value float64

// MarshalJSON writes what JSON has no number for as null.
func (v Value) MarshalJSON() ([]byte, error) {
	if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
		return []byte("null"), nil
	}
	return strconv.AppendFloat(nil, float64(v), 'g', 6, 64), nil
}

//go:embed page.html page.css page.js uplot
var files embed.FS

// Write writes the page.
func Write(w io.Writer, p Page) error {
	for _, section := range p.Sections {
		for _, c := range section.Charts {
			if err := c.check(); err != nil {
				return fmt.Errorf("write page %q: %w", p.Title, err)
			}
		}
	}
	page, err := template.ParseFS(files, "page.html")
	if err != nil {
		return fmt.Errorf("read page template: %w", err)
	}
	data := struct {
		Page
		Style         template.CSS
		Library, Draw template.JS
		License       string
		Charts        []Chart
	}{Page: p}
	var texts [5]string
	for i, name := range []string{"uplot/uPlot.min.css", "page.css", "uplot/uPlot.iife.min.js", "page.js", "uplot/LICENSE"} {
		text, err := files.ReadFile(name)
		if err != nil {
			return fmt.Errorf("read %s: %w", name, err)
		}
		texts[i] = string(text)
	}
	// These files are part of the program, so they need no escaping; every number and word of the report is escaped.
	data.Style = template.CSS(texts[0] + texts[1])
	data.Library, data.Draw, data.License = template.JS(texts[2]), template.JS(texts[3]), texts[4]
	for _, section := range p.Sections {
		data.Charts = append(data.Charts, section.Charts...)
	}
	if err := page.Execute(w, data); err != nil {
		return fmt.Errorf("write page %q: %w", p.Title, err)
	}
	return nil
}

func (c Chart) check() error {
	for _, line := range c.Lines {
		if len(line.Values) != len(c.X) {
			return fmt.Errorf("chart %q, line %q: %w", c.Title, line.Name, ErrUneven)
		}
	}
	return nil
}
