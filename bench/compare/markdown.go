package compare

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// words explains the columns. It is part of every report, because a number without its definition is none.
func words() [][2]string {
	return [][2]string{
		{"errors", "requests that ended in an error at the application, of all that ended after the fault, by class. A reply's class is its " +
			"first word; `cannot connect`, `disconnected` and `time-out` are the library's. After a failed request the client goes on with " +
			"the next one that is due, so a contender that fails fast has many."},
		{"no retry, retry", "half of the clients have the library's retries switched off (`MaxRetries: -1`), half have its default: three " +
			"retries with 10 ms to 1 s between them, on lost connections, time-outs and on READONLY, LOADING, MASTERDOWN, TRYAGAIN. " +
			"An answer UNKNOWNRESULT is not retried: that is its point."},
		{"disconnects", "connections that the other side ended, of all clients."},
		{"acknowledged writes lost", "writes that were acknowledged and that the final master does not have. Unreported are those beyond " +
			"what the contender itself declares at risk; only Holdfast declares anything."},
		{"written twice", "ids that are in their list more than once, and counters above what was asked for: what a retry of an executed " +
			"write does."},
		{"longest gap", "the longest time without a success at any client, the fault inside."},
		{"longest stall", "the longest time from the moment at which a request was due to its end, with a success or an error."},
		{"first success", "from the fault to the first success of a request that was due after it."},
		{"last client", "from the fault until every client had such a success."},
	}
}

// method says how it was measured.
func (r *Record) method() []string {
	return []string{
		"Each scene is a fresh pair of redis-server processes without persistence, and what is in front of them, all on loopback on one " +
			"machine that the clients share. The contenders take turns within each fault, and each round begins with another one. " +
			"Undisturbed load runs for 1.5 s before the fault, and until every client was served 20 times in a row after it, and then " +
			"for 2 s more (11 s after a freeze, a hang and a switchover, as a Sentinel looks at a returned master for 8 s before it demotes it). " +
			"Who has not served all clients after 50 s (6 s without any promotion) is reported as never.",
		"The clients are go-redis as it comes, with a time-out of 5 s, one connection for each client, RESP3. Requests are due by the " +
			"clock, whatever became of the one before: 40 % RPUSH of a unique id, 20 % INCR, 40 % GET. Nothing is modelled: retries, " +
			"pools, redials and the questions to Sentinels are the library's own. Its pool answers at once, without dialling, for up " +
			"to a second after a failed dial.",
		fmt.Sprintf("Hung requests (no end within 30 s): %s.", r.hungText()),
	}
}

func (r *Record) hungText() string {
	var parts []string
	for _, o := range r.Outcomes {
		for _, g := range o.Groups {
			if g.Hung > 0 {
				parts = append(parts, fmt.Sprintf("%d (%s, %s)", g.Hung, o.Fault, o.Contender))
			}
		}
	}
	if len(parts) == 0 {
		return "none, with any contender"
	}
	return strings.Join(parts, ", ")
}

// WriteMarkdown writes the report as a page of the documentation.
func (r *Record) WriteMarkdown(w io.Writer) error {
	b := &strings.Builder{}
	fmt.Fprintf(b, "# Comparison\n\nWritten by `make compare` on %s in %.0f s; do not edit. `comparison.html` shows the same with charts "+
		"over time,\n`comparison.json` has the raw data: one line for each scene, with what ended in each 100 ms.\n\n",
		r.Started.Format("2006-01-02 15:04 MST"), r.Seconds)
	for _, c := range contenders() {
		fmt.Fprintf(b, "- **%s**: %s\n", c.name, c.what)
	}
	for _, t := range r.tables() {
		fmt.Fprintf(b, "\n## %s\n\n%s\n\n", strings.ToUpper(t.title[:1])+t.title[1:], t.text)
		writeRow(b, t.head)
		writeRow(b, slices.Repeat([]string{"---"}, len(t.head)))
		for _, cells := range t.rows {
			writeRow(b, cells)
		}
	}
	fmt.Fprintf(b, "\n## Where somebody was better than Holdfast\n\n- %s\n", strings.Join(orNowhere(r.rivals()), "\n- "))
	fmt.Fprint(b, "\n## What the columns mean\n\n")
	for _, word := range words() {
		fmt.Fprintf(b, "- **%s**: %s\n", word[0], word[1])
	}
	fmt.Fprintf(b, "\n## How it was measured\n\n%s\n", strings.Join(r.method(), "\n\n"))
	for _, part := range []struct {
		title  string
		values map[string]string
	}{{"Versions", r.Versions}, {"Machine", r.Machine}, {"Settings", r.Settings}} {
		fmt.Fprintf(b, "\n**%s:** %s.\n", part.title, pairs(part.values))
	}
	for _, note := range r.Notes {
		fmt.Fprintf(b, "\n**Note:** %s\n", note)
	}
	for _, name := range slices.Sorted(maps.Keys(r.Configs)) {
		fmt.Fprintf(b, "\n### %s\n\n```\n%s\n```\n", name, strings.TrimSpace(r.Configs[name]))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func writeRow(b *strings.Builder, cells []string) {
	fmt.Fprintf(b, "| %s |\n", strings.Join(cells, " | "))
}

func pairs(values map[string]string) string {
	var parts []string
	for _, key := range slices.Sorted(maps.Keys(values)) {
		parts = append(parts, key+" "+values[key])
	}
	return strings.Join(parts, "; ")
}
