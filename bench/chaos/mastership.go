package chaos

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"holdfast/bench"
)

// promotedLine is what a server writes when it stops being a replica, on whoever's order. It is the one witness of a promotion that
// does not depend on the proxy, which may die with its own account of it.
const promotedLine = "MASTER MODE enabled"

// triggerAdopted is the receipt of a master that existed already and was accepted; nobody was promoted for it.
const triggerAdopted = "adopted"

// logMarks are the lengths of the nodes' logs at one moment, by name.
type logMarks map[string]int64

func serverLog(s *bench.Server) string { return filepath.Join(s.Dir(), "server.log") }

// markLogs remembers how far every node has written.
func (r *rig) markLogs() (logMarks, error) {
	marks := make(logMarks)
	for _, s := range r.servers {
		info, err := os.Stat(serverLog(s))
		if err != nil {
			return nil, fmt.Errorf("look at the log of %s: %w", s.Name, err)
		}
		marks[s.Name] = info.Size()
	}
	return marks, nil
}

// promotedSince counts how often a node became a master since the marks.
func (r *rig) promotedSince(marks logMarks) (n int, err error) {
	for _, s := range r.servers {
		text, readErr := readFrom(serverLog(s), marks[s.Name])
		n += strings.Count(text, promotedLine)
		err = errors.Join(err, readErr)
	}
	return n, err
}

func readFrom(path string, at int64) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	data, err := io.ReadAll(io.NewSectionReader(f, at, 1<<30))
	if err != nil {
		return "", fmt.Errorf("read %s: %w", path, err)
	}
	return string(data), nil
}

// mastership is what happened to it in one cycle, as three parties tell it.
type mastership struct {
	epochs   int // the daemon's epochs
	receipts int // the daemon's receipts
	adopted  int // those that accepted a master which existed already
	promoted int // promotions that the nodes have seen, the rig's own left out
	foreign  int // promotions that the rig ordered itself, in the place of somebody else
}

// changes is how often clients were moved to other data: an epoch in which a restarted proxy finds what it had promoted itself
// moves nobody.
func (m mastership) changes() int {
	if m.epochs == 0 {
		return 0
	}
	return min(m.epochs, max(1, m.promoted+m.foreign))
}

// judge compares the three. After a restart of the proxy an epoch may be spent on a promotion that was never sent, or on taking over
// what the dead one had done, and a receipt may have died; a promotion without an epoch of its own is wrong in any case.
func (m mastership) judge(j *judge, f fault, reset bool) {
	j.verdicts.checked(I6, 1)
	if m.promoted > m.epochs {
		j.verdicts.broken(I6, "the nodes were promoted %d times in %d epochs", m.promoted, m.epochs)
	}
	j.verdicts.checked(I10, 1)
	if m.promoted < f.promotions[0] || m.promoted > f.promotions[1] {
		j.verdicts.broken(I10, "%d promotions, want %d to %d", m.promoted, f.promotions[0], f.promotions[1])
	}
	if m.adopted < f.adoptions[0] || m.adopted > f.adoptions[1] {
		j.verdicts.broken(I10, "%d masters were adopted, want %d to %d", m.adopted, f.adoptions[0], f.adoptions[1])
	}
	j.verdicts.checked(I22, 1)
	if reset {
		return
	}
	if m.receipts != m.epochs {
		j.verdicts.broken(I22, "%d changes of mastership left %d receipts", m.epochs, m.receipts)
	}
	if m.promoted != m.epochs-m.adopted {
		j.verdicts.broken(I22, "the nodes were promoted %d times, the receipts say %d", m.promoted, m.epochs-m.adopted)
	}
}
