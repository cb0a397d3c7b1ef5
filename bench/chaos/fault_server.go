package chaos

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// sickFor is how long a server that is ill and not dead stays so: long enough for many probes, shorter than its silence.
const sickFor = 500 * time.Millisecond

// serverFaults are masters that live and do not serve as they should. None of them is a reason to promote.
func serverFaults() []fault {
	return []fault{
		{name: "busy-script", text: "an endless script for 700 ms, with -BUSY", promotions: nobody(), gapMax: gapFreeze, errors: []string{"BUSY"},
			commit: busyScript},
		{name: "debug-sleep", text: "DEBUG SLEEP 0.5 on the master", promotions: nobody(), gapMax: gapFreeze, commit: sleepMaster("0.5", 0)},
		{name: "debug-sleep-3s", text: "DEBUG SLEEP 3 on the master", promotions: once(), gapMax: gapFreeze, commit: sleepMaster("3", 1)},
		{name: "pause-all", text: "CLIENT PAUSE 500 ALL on the master", promotions: nobody(), gapMax: gapFreeze, commit: pauseClients("ALL")},
		{name: "pause-write", text: "CLIENT PAUSE 500 WRITE on the master", promotions: nobody(), gapMax: gapFreeze,
			commit: pauseClients("WRITE")},
		{name: "maxclients", text: "maxclients 1 on the master for 500 ms", promotions: nobody(), gapMax: gapFreeze,
			commit: configure("maxclients", "1", "2000")},
		{name: "maxmemory", text: "no memory left on the master for 500 ms", promotions: nobody(), gapMax: gapFreeze,
			errors: []string{"OOM"}, commit: configure("maxmemory", "1", "0")},
		{name: "requirepass", text: "the password is changed on all nodes for 500 ms", promotions: nobody(), gapMax: gapFreeze,
			errors: []string{"NOAUTH"}, closes: []string{"replay-refused"}, drops: true, commit: changePassword},
		{name: "user-deleted", text: "the user of every fifth client is deleted on all nodes", promotions: nobody(), gapMax: gapFreeze,
			errors: []string{"WRONGPASS", "NOAUTH"}, closes: []string{"replay-refused"}, drops: true, denies: true, commit: deleteUser},
		{name: "misconf", text: "snapshots fail and the master refuses writes for 500 ms", promotions: nobody(), gapMax: gapFreeze,
			errors: []string{"MISCONF"}, flavour: flavour{disk: "rdb"}, commit: failSnapshots},
		{name: "disk-full", text: "the disk of the master's append-only file is full for 500 ms", promotions: nobody(), gapMax: gapFreeze,
			errors: []string{"MISCONF"}, flavour: flavour{disk: "small"}, commit: fillDisk},
		{name: "rst-all", text: "all connections of the proxy to the master are reset", flavour: flavour{network: true}, promotions: nobody(),
			gapMax: gapFreeze, wobbles: true, commit: resetConnections(true)},
		{name: "rst-one", text: "one connection of the proxy to the master is reset", flavour: flavour{network: true}, promotions: nobody(),
			gapMax: gapKill, wobbles: true, commit: resetConnections(false)},
	}
}

func busyScript(ctx context.Context, c *cycle) error {
	raw, err := c.old.Dial(ctx)
	if err != nil {
		return err
	}
	defer raw.Close()
	w := newWire(raw)
	if err := w.send([]string{"EVAL", "while true do end", "0"}); err != nil {
		return fmt.Errorf("start script on %s: %w", c.old.Name, err)
	}
	if err := pause(ctx, 700*time.Millisecond); err != nil {
		return err
	}
	return await(ctx, queryMax, func(ctx context.Context) error {
		_, err := c.old.Do(ctx, "SCRIPT", "KILL")
		return err
	})
}

func sleepMaster(seconds string, promotions int) func(context.Context, *cycle) error {
	return func(ctx context.Context, c *cycle) error {
		if _, err := c.old.Do(ctx, "DEBUG", "SLEEP", seconds); err != nil {
			return err
		}
		return c.promoted(ctx, promotions)
	}
}

func pauseClients(mode string) func(context.Context, *cycle) error {
	return func(ctx context.Context, c *cycle) error {
		if _, err := c.old.Do(ctx, "CLIENT", "PAUSE", "500", mode); err != nil {
			return err
		}
		return pause(ctx, sickFor)
	}
}

// configure sets one key of the master for a while.
func configure(key, sick, healthy string) func(context.Context, *cycle) error {
	return func(ctx context.Context, c *cycle) error {
		raw, err := c.old.Dial(ctx) // before maxclients refuses it
		if err != nil {
			return err
		}
		defer raw.Close()
		w := newWire(raw)
		if _, err := w.must("CONFIG", "SET", key, sick); err != nil {
			return err
		}
		waited := pause(ctx, sickFor)
		_, err = w.must("CONFIG", "SET", key, healthy)
		return errors.Join(waited, err)
	}
}

// changePassword locks out everybody who connects anew, Holdfast included.
func changePassword(ctx context.Context, c *cycle) error {
	var wires []*wire
	defer func() {
		for _, w := range wires {
			_ = w.Close() // the command was answered
		}
	}()
	for _, s := range c.servers {
		raw, err := s.Dial(ctx)
		if err != nil {
			return err
		}
		wires = append(wires, newWire(raw))
	}
	var errs []error
	for _, w := range wires {
		_, err := w.must("CONFIG", "SET", "requirepass", "changed")
		errs = append(errs, err)
	}
	errs = append(errs, pause(ctx, sickFor))
	for _, w := range wires {
		_, err := w.must("CONFIG", "SET", "requirepass", "")
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func deleteUser(ctx context.Context, c *cycle) error {
	c.later(func(ctx context.Context) error {
		var errs []error
		for _, s := range c.servers {
			errs = append(errs, c.addUser(ctx, s))
		}
		return errors.Join(errs...)
	})
	for _, s := range c.servers {
		if _, err := s.Do(ctx, "ACL", "DELUSER", userName); err != nil {
			return err
		}
	}
	return pause(ctx, sickFor)
}

// failSnapshots puts a directory where the snapshot should go.
func failSnapshots(ctx context.Context, c *cycle) error {
	obstacle := filepath.Join(c.old.Dir(), "dump.rdb")
	if err := os.RemoveAll(obstacle); err != nil {
		return err
	}
	if err := os.Mkdir(obstacle, 0o700); err != nil {
		return err
	}
	c.later(func(ctx context.Context) error {
		err := os.Remove(obstacle)
		_, setErr := c.old.Do(ctx, "CONFIG", "SET", "save", "")
		return errors.Join(err, setErr)
	})
	if _, err := c.old.Do(ctx, "CONFIG", "SET", "save", "3600 1"); err != nil {
		return err
	}
	if _, err := c.old.Do(ctx, "BGSAVE"); err != nil {
		return err
	}
	err := await(ctx, queryMax, func(ctx context.Context) error {
		info, err := c.old.Info(ctx, "persistence")
		if err == nil && info["rdb_last_bgsave_status"] != "err" {
			err = fmt.Errorf("the snapshot is %q", info["rdb_last_bgsave_status"])
		}
		return err
	})
	if err != nil {
		return err
	}
	return pause(ctx, sickFor)
}

// fillDisk leaves no room for the append-only file.
func fillDisk(ctx context.Context, c *cycle) error {
	dir := filepath.Join(c.dir, "disk-"+c.old.Name)
	filler := filepath.Join(dir, "filler")
	c.later(func(context.Context) error { return os.Remove(filler) })
	f, err := os.Create(filler)
	if err != nil {
		return err
	}
	chunk := make([]byte, 1<<16)
	for err == nil {
		_, err = f.Write(chunk)
	}
	for chunk = chunk[:512]; ; { // the last bytes, too
		if _, err := f.Write(chunk); err != nil {
			break
		}
	}
	if err := f.Close(); err != nil {
		return err
	}
	return pause(ctx, sickFor)
}

// resetConnections kills connections of the proxy without harming either process.
func resetConnections(all bool) func(context.Context, *cycle) error {
	return func(ctx context.Context, c *cycle) error {
		_, port, err := net.SplitHostPort(c.old.Address())
		if err != nil {
			return err
		}
		filter := []string{"dport", "=", ":" + port}
		if !all {
			if filter, err = c.someConnection(ctx, port); err != nil {
				return err
			}
		}
		_, err = c.network.hosts[hostProxy].run(ctx, "", append([]string{"ss", "-K", "-t", "-n"}, filter...)...)
		return err
	}
}

// someConnection picks one client's connection on the master, seen from the proxy's side.
func (c *cycle) someConnection(ctx context.Context, port string) ([]string, error) {
	list, err := c.old.Do(ctx, "CLIENT", "LIST", "TYPE", "normal")
	if err != nil {
		return nil, err
	}
	ports := proxyPorts(list, c.network.hosts[hostProxy].address)
	if len(ports) == 0 {
		return nil, fmt.Errorf("pick a connection of %s: there is none", c.old.Name)
	}
	return []string{"dport", "=", ":" + port, "and", "sport", "=", ":" + strconv.Itoa(ports[c.rng.IntN(len(ports))])}, nil
}

// proxyPorts are the ports of the proxy's connections in a CLIENT LIST.
func proxyPorts(list, address string) (ports []int) {
	for line := range strings.Lines(list) {
		for _, field := range strings.Fields(line) {
			text, found := strings.CutPrefix(field, "addr="+address+":")
			if port, err := strconv.Atoi(text); found && err == nil {
				ports = append(ports, port)
			}
		}
	}
	return ports
}
