package chaos

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"holdfast/bench"
)

const (
	// unreadCount values of unreadSize bytes are acknowledged while the replica sleeps, some 58 KiB with their commands: more than
	// it reads in one turn, so that a promotion which waits in its other socket throws the rest away, and less than the 64 KiB that
	// its kernel takes from the first moment, so that nothing is left to the kernel of the master.
	unreadCount = 54
	unreadSize  = 1 << 10
	// turnMax is the most that a server reads from its master in one turn once its buffer is small, in bytes: it asks for room for
	// 16 KiB, gets twice that and what the allocator rounds up to, and fills it.
	turnMax = 40 << 10
	// hastyMax is how long a sleeping replica waits for a promotion, which only comes from a proxy that does not drain. Its cut and its
	// intent are ready by then, and drainLimit is far.
	hastyMax = 80 * time.Millisecond
	// drainLimit is what the proxy allows a drain after the death of a process. One that reached it has kept its word, and proves
	// nothing.
	drainLimit = 200 * time.Millisecond
)

// unread is what was acknowledged, and lay in the hands of the replica's own kernel when the master died. The end of the master can
// take none of it away, so whoever lets the replica read before it is promoted loses nothing.
type unread struct {
	keys  []string
	acked int64         // when all of it was acknowledged
	drain time.Duration // the longest one of the cycle, by its receipts
}

// killUnread kills the master behind a replica that sleeps on all that it was sent, and wakes it when the order of a proxy that does
// not drain would wait beside it. One that drains has only asked how far the replica is.
func killUnread(ctx context.Context, c *cycle) error {
	replica := c.spare[0]
	if err := c.leaveUnread(ctx, replica); err != nil {
		return err
	}
	if await(ctx, hastyMax, c.promoting) == nil {
		if err := pause(ctx, behindFor); err != nil {
			return err
		}
	}
	if err := replica.Wake(); err != nil {
		return fmt.Errorf("wake the replica: %w", err)
	}
	return c.promoted(ctx, 1)
}

// leaveUnread keeps the crew quiet until the master is dead, so that the stream holds what was written here and nothing else.
func (c *cycle) leaveUnread(ctx context.Context, replica *bench.Server) error {
	c.crew.quiet.Lock()
	defer c.crew.quiet.Unlock()
	raw, err := c.crew.dial(ctx)
	if err != nil {
		return err
	}
	defer raw.Close()
	w := newWire(raw)
	if err := w.selectPoised(); err != nil {
		return err
	}
	if err := c.caughtUp(w); err != nil {
		return err
	}
	if err := narrow(ctx, replica); err != nil {
		return err
	}
	if err := c.freeze(replica); err != nil {
		return err
	}
	if err := c.writeUnread(w); err != nil {
		return err
	}
	if err := await(ctx, queryMax, c.handedOver); err != nil {
		return fmt.Errorf("hand the stream over to the host of %s: %w", replica.Name, err)
	}
	return c.old.Kill()
}

// caughtUp returns when the replica has all that was written so far.
func (c *cycle) caughtUp(w *wire) error {
	if _, err := w.must("SET", "unread:"+c.name+":before", "1"); err != nil {
		return err
	}
	v, err := w.must("WAIT", "1", strconv.FormatInt(queryMax.Milliseconds(), 10))
	if err == nil && v.num < 1 {
		err = errors.New("wait for the replica: it is behind")
	}
	return err
}

// narrow returns when the replica's buffer for its master is so small again that one turn cannot take everything: large values let it
// grow, and it reads as much as there is room. A server looks at its buffers as often as its hz says.
func narrow(ctx context.Context, replica *bench.Server) error {
	if _, err := replica.Do(ctx, "CONFIG", "SET", "hz", "500"); err != nil {
		return err
	}
	err := await(ctx, queryMax, func(ctx context.Context) error {
		list, err := replica.Do(ctx, "CLIENT", "LIST", "TYPE", "master")
		if err != nil {
			return err
		}
		room, err := strconv.Atoi(clientFields(list)["qbuf-free"])
		if err == nil && room > turnMax {
			err = fmt.Errorf("%s has room for %d bytes", replica.Name, room)
		}
		return err
	})
	_, back := replica.Do(ctx, "CONFIG", "SET", "hz", "10") // its default
	return errors.Join(err, back)
}

// clientFields are the fields of the one line of a CLIENT LIST.
func clientFields(line string) map[string]string {
	fields := make(map[string]string)
	for field := range strings.FieldsSeq(line) {
		name, value, _ := strings.Cut(field, "=")
		fields[name] = value
	}
	return fields
}

// writeUnread writes all values at once, so that they fill few packets: what a socket holds is counted in these.
func (c *cycle) writeUnread(w *wire) error {
	if err := w.SetDeadline(time.Now().Add(queryMax)); err != nil {
		return err
	}
	var requests [][]string
	for i := range unreadCount {
		key := "unread:" + c.name + ":" + strconv.Itoa(i)
		c.unread.keys = append(c.unread.keys, key)
		requests = append(requests, []string{"SET", key, strings.Repeat("u", unreadSize)})
	}
	if err := w.send(requests...); err != nil {
		return err
	}
	for range requests {
		v, err := w.read()
		if err != nil {
			return err
		}
		if v.isError() {
			return fmt.Errorf("write what shall stay unread: %w: %s", errReply, v.text)
		}
	}
	c.unread.acked = c.crew.tally.now()
	return nil
}

// handedOver objects as long as the master, or the kernel below it, has bytes that the host of the replica has not confirmed.
func (c *cycle) handedOver(ctx context.Context) error {
	list, err := c.old.Do(ctx, "CLIENT", "LIST", "TYPE", "replica")
	if err != nil {
		return err
	}
	fields := clientFields(list)
	if fields["events"] != "r" {
		return fmt.Errorf("%s has more to send: %s", c.old.Name, list)
	}
	sockets, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/tcp", c.old.PID()))
	if err != nil {
		return err
	}
	queue, err := sendQueue(string(sockets), c.old.Address(), fields["addr"])
	if err == nil && queue > 0 {
		err = fmt.Errorf("%d bytes wait in the socket of %s", queue, c.old.Name)
	}
	return err
}

// promoting objects until the proxy has made up its mind.
func (c *cycle) promoting(ctx context.Context) error {
	status, err := c.daemon.Status(ctx)
	if err == nil && status.State != "promoting" {
		err = fmt.Errorf("pool is %s (%s)", status.State, status.Why)
	}
	return err
}

// check looks for all of it, declared or not: a receipt may excuse what could not be kept, and this could.
func (u *unread) check(final *wire, c *cycle, j *judge) error {
	if u.acked == 0 {
		return nil
	}
	if err := final.selectPoised(); err != nil {
		return err
	}
	values, err := final.must(append([]string{"MGET"}, u.keys...)...)
	if err != nil {
		return err
	}
	u.judge(values.items, c, j)
	return nil
}

func (u *unread) judge(values []value, c *cycle, j *judge) {
	gone := 0
	for i, v := range values {
		if v.null {
			gone++
			j.lose(u.acked, "%s was acknowledged and is lost", u.keys[i])
		}
	}
	if u.drain >= drainLimit {
		c.crew.tally.note("the drain took %s and reached its limit: what is lost proves nothing", u.drain)
		return
	}
	j.verdicts.checked(I5, len(u.keys))
	if gone > 0 {
		j.verdicts.broken(I5, "%d of %d acknowledged writes that lay at the replica are lost, after a drain of %s", gone, len(u.keys), u.drain)
	}
}
