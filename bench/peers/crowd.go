package peers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

const (
	// crowdPipeBytes, in bytes, is the largest pipe Linux gives an ordinary user as delivered, so few of them reach the limit.
	crowdPipeBytes = 1 << 20
	// crowdPipeLeast, in bytes, is the size of a fresh pipe as long as its user is within the limit. Past it there are 8 KiB.
	crowdPipeLeast = 64 << 10
	// crowdPipesMax ends the taking on a machine without a limit. As delivered it is reached with 64 pipes of 1 MiB, or with
	// 1,024 where larger ones are refused.
	crowdPipesMax = 2048
	// crowdHolds begins the line that says that the limit is reached.
	crowdHolds = "holds pipes: "
)

// errNoPipeLimit is returned when a user may have as many pipes as he likes: then none can be left without.
var errNoPipeLimit = errors.New("no limit was met")

// HoldPipes takes all the pipe memory that Linux allows its user, says so on w, and keeps it until ctx ends. A proxy of the same
// user then gets only pipes of two pages, as beside some program that likes pipes too.
func HoldPipes(ctx context.Context, w io.Writer) error {
	var held []int
	defer func() {
		for _, fd := range held {
			_ = unix.Close(fd)
		}
	}()
	for size := crowdPipeLeast; size >= crowdPipeLeast; {
		if len(held)/2 == crowdPipesMax {
			return fmt.Errorf("take pipes until they are short: %w after %d", errNoPipeLimit, len(held)/2)
		}
		var fds [2]int
		if err := unix.Pipe2(fds[:], unix.O_CLOEXEC); err != nil {
			return fmt.Errorf("make pipe %d: %w", len(held)/2+1, err)
		}
		held = append(held, fds[:]...)
		var err error
		if size, err = unix.FcntlInt(uintptr(fds[0]), unix.F_GETPIPE_SZ, 0); err != nil {
			return fmt.Errorf("measure pipe %d: %w", len(held)/2, err)
		}
		_, _ = unix.FcntlInt(uintptr(fds[0]), unix.F_SETPIPE_SZ, crowdPipeBytes) // when refused, it stays as it is and counts less
	}
	if _, err := fmt.Fprintf(w, "%s%d\n", crowdHolds, len(held)/2); err != nil {
		return fmt.Errorf("say that %d pipes are held: %w", len(held)/2, err)
	}
	<-ctx.Done()
	return nil
}

// startCrowd starts a process that runs HoldPipes and returns when it holds them.
func startCrowd(ctx context.Context, user uint32, log string, argv []string) (*child, error) {
	c, err := startChildAs(user, "crowd", log, nil, argv...)
	if err != nil {
		return nil, err
	}
	err = await(ctx, answerMax, func() (bool, error) {
		data, err := os.ReadFile(log)
		if err != nil {
			return false, fmt.Errorf("read log: %w", err)
		}
		select {
		case <-c.done:
			return false, errEnded
		default:
			return bytes.Contains(data, []byte(crowdHolds)), nil
		}
	})
	if err != nil {
		err = fmt.Errorf("take the pipe memory of user %d: %w\n%s", user, err, c.lastWords())
		c.end()
		return nil, err
	}
	return c, nil
}
