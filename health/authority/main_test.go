package authority

import (
	"fmt"
	"os"
	"testing"

	"holdfast/bench/testbed"
	"holdfast/health"
)

// writerVariable names the directory in which this program is a writer that is to be killed, in place of a test.
const writerVariable = "HOLDFAST_TEST_JOURNAL_WRITER"

// TestMain checks that the tests leave neither a goroutine nor a child process behind.
func TestMain(m *testing.M) {
	if dir := os.Getenv(writerVariable); dir != "" {
		fmt.Fprintln(os.Stderr, writeUntilKilled(dir))
		os.Exit(1)
	}
	os.Exit(testbed.Run(m))
}

// writeUntilKilled goes through one epoch after the other, and says each step when it is on disk.
func writeUntilKilled(dir string) error {
	l, err := Open(dir, nil)
	if err != nil {
		return err
	}
	defer l.Close()
	j, err := l.Pool("cache")
	if err != nil {
		return err
	}
	for epoch := highest(j.Last()) + 1; ; epoch++ {
		if err := j.Intend(intent(j.Last().Epoch, epoch)); err != nil {
			return err
		}
		fmt.Println("intended", epoch)
		if err := j.Commit(record(epoch)); err != nil {
			return err
		}
		fmt.Println("committed", epoch)
		if err := j.Note(epoch, int64(epoch)); err != nil {
			return err
		}
	}
}

// highest is the last epoch that r knows to have been granted.
func highest(r health.Record) uint64 { return max(r.Epoch, intentEpoch(r)) }
