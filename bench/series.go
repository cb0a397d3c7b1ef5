package bench

import (
	"context"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"
)

// Series is what many runs of one drill have shown. Nothing in it is averaged away: a count that must be zero is summed,
// and of a gap the worst is told beside the median.
type Series struct {
	Drill          string
	Runs, Held     int
	Disconnects    int64
	ReadsFailed    int64
	Wrong, Hung    int64
	Unknown        int64 // writes that were in flight and answered UNKNOWNRESULT
	Checked        int   // acknowledged writes that were looked for afterwards
	Lost, AtRisk   int
	Duplicates     int
	Gaps           []time.Duration
	NoiseMax       time.Duration // the longest pause of the machine itself
	BrokenPromises []string
}

// RunSeries commits the fault of d count times, each time on servers of its own. show sees every report.
func RunSeries(ctx context.Context, d Drill, o Options, count int, show func(*Report)) (Series, error) {
	s := Series{Drill: d.Name}
	for range count {
		r, err := d.Run(ctx, o)
		if err != nil {
			return s, err
		}
		s.add(&r)
		show(&r)
	}
	return s, nil
}

// RunTarget drills a deployment count times. show sees every report.
func RunTarget(ctx context.Context, o TargetOptions, count int, show func(*Report)) (Series, error) {
	s := Series{Drill: o.Order}
	for range count {
		r, err := DrillTarget(ctx, o)
		if err != nil {
			return s, err
		}
		s.add(&r)
		show(&r)
	}
	return s, nil
}

func (s *Series) add(r *Report) {
	s.Runs++
	broken := r.Broken()
	if len(broken) == 0 {
		s.Held++
	}
	for _, p := range broken {
		s.BrokenPromises = append(s.BrokenPromises, p.Text+": "+p.Got)
	}
	n, v := r.Counts, r.Verification
	s.Disconnects += n.Disconnects
	s.ReadsFailed += n.ReadsFailed
	s.Wrong += n.Wrong
	s.Hung += n.Hung
	s.Unknown += int64(n.Errors[unknownClass])
	s.Checked += v.Checked
	s.Lost += v.Lost
	s.AtRisk += r.AtRisk
	s.Duplicates += v.Duplicates
	s.Gaps = append(s.Gaps, r.Gap)
	s.NoiseMax = max(s.NoiseMax, r.Noise)
}

// WriteSeries prints one line for each drill, and every promise that was broken.
func WriteSeries(w io.Writer, all []Series) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "drill\theld\tgap median\tmax\tmachine\tdisconnects\treads failed\tunknown\twrong, hung\tduplicates\tlost\t"+
		"at risk\tchecked")
	for _, s := range all {
		gaps := slices.Sorted(slices.Values(s.Gaps))
		if len(gaps) == 0 {
			continue
		}
		fmt.Fprintf(t, "%s\t%d of %d\t%s\t%s\t%s\t", s.Drill, s.Held, s.Runs, ms(gaps[len(gaps)/2]), ms(gaps[len(gaps)-1]), ms(s.NoiseMax))
		fmt.Fprintf(t, "%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\n", s.Disconnects, s.ReadsFailed, s.Unknown, s.Wrong+s.Hung, s.Duplicates,
			s.Lost, s.AtRisk, s.Checked)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, s := range all {
		for _, p := range s.BrokenPromises {
			fmt.Fprintf(w, "BROKEN %s: %s\n", s.Drill, p)
		}
	}
	return nil
}
