package chaos

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"holdfast/bench"
)

// judgeNodes checks that there is one master and that all others hold the same. A digest of everything at once would stop a server
// for as long as a crash looks like, so it is taken of a few keys at a time, and only once.
func (c *cycle) judgeNodes(ctx context.Context, j *judge, master *bench.Server) {
	j.verdicts.checked(I19, 1)
	if err := await(ctx, settleMax, func(ctx context.Context) error { return c.level(ctx, master) }); err != nil {
		j.verdicts.broken(I19, "the nodes do not become equal: %v", err)
		return
	}
	want, err := contents(ctx, master)
	if err != nil {
		j.verdicts.broken(I19, "read what %s holds: %v", master.Name, err)
		return
	}
	for _, s := range c.others(master) {
		have, err := contents(ctx, s)
		if err != nil {
			j.verdicts.broken(I19, "read what %s holds: %v", s.Name, err)
		} else if diff := differences(want, have); len(diff) > 0 {
			j.verdicts.broken(I19, "%s and %s differ in %d keys: %s", master.Name, s.Name, len(diff), strings.Join(diff[:min(4, len(diff))], ", "))
		}
	}
}

// level objects as long as roles or offsets are not what they must be.
func (c *cycle) level(ctx context.Context, master *bench.Server) error {
	want, err := standOf(ctx, master)
	if err != nil {
		return err
	}
	if want.role != "master" {
		return fmt.Errorf("%s is %s", master.Name, want.role)
	}
	for _, s := range c.others(master) {
		have, err := standOf(ctx, s)
		if err != nil {
			return err
		}
		if have.role != "slave" || have.offset != want.offset {
			return fmt.Errorf("%s is %+v, %s is %+v", master.Name, want, s.Name, have)
		}
	}
	return nil
}

// stand is a node's role and how much of the stream it has.
type stand struct{ role, offset string }

func standOf(ctx context.Context, s *bench.Server) (stand, error) {
	info, err := s.Info(ctx, "replication")
	return stand{role: info["role"], offset: info["master_repl_offset"]}, err
}

// scanCount is how many keys are read at a time: a few ms of a server, even if some of them are large, and little enough where a
// server gets a tenth of a processor.
const scanCount = 10

// contents is a digest of every value of a node, by database and key.
func contents(ctx context.Context, s *bench.Server) (map[string]string, error) {
	raw, err := s.Dial(ctx)
	if err != nil {
		return nil, err
	}
	defer raw.Close()
	w, all := newWire(raw), make(map[string]string)
	for db := range databases + 1 {
		if _, err := w.must("SELECT", strconv.Itoa(db)); err != nil {
			return nil, err
		}
		for cursor := "0"; ; {
			v, err := w.must("SCAN", cursor, "COUNT", strconv.Itoa(scanCount))
			if err != nil {
				return nil, err
			}
			if len(v.items) != 2 {
				return nil, fmt.Errorf("scan %s: %w: %s", s.Name, errReply, v)
			}
			if err := digest(w, db, texts(v.items[1]), all); err != nil {
				return nil, err
			}
			if cursor = v.items[0].text; cursor == "0" {
				break
			}
		}
	}
	return all, nil
}

// digest adds the digests of some keys of one database.
func digest(w *wire, db int, keys []string, all map[string]string) error {
	if len(keys) == 0 {
		return nil
	}
	v, err := w.must(append([]string{"DEBUG", "DIGEST-VALUE"}, keys...)...)
	if err != nil {
		return err
	}
	if len(v.items) != len(keys) {
		return fmt.Errorf("digest %d keys: %w: %s", len(keys), errReply, v)
	}
	for i, key := range keys {
		all[strconv.Itoa(db)+"/"+key] = v.items[i].text
	}
	return nil
}

// differences lists the keys in which two nodes are not the same.
func differences(a, b map[string]string) (keys []string) {
	for key := range a {
		if a[key] != b[key] {
			keys = append(keys, key)
		}
	}
	for key := range b {
		if _, there := a[key]; !there {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}
