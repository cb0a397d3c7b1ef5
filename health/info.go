package health

import (
	"net"
	"strconv"
	"strings"
)

// Info is what a backend says about itself in INFO. Fields it did not send are zero.
type Info struct {
	RunID string
	Role  string // master or slave, in the server's own words
	// ReplID is the lineage that the data continues now, ReplID2 the one before, valid below SecondOffset.
	ReplID, ReplID2 string
	SecondOffset    int64
	// Offset is the end of the replication stream as far as the data set has it.
	Offset int64
	// ReadOffset and AppliedOffset are the replica's own counters; ReadOffset runs ahead by what was read and not yet applied.
	ReadOffset, AppliedOffset int64
	LinkUp                    bool
	Syncing                   bool
	Loading                   bool
	LastIO                    int64 // seconds since the master was heard; -1: never
	MasterHost                string
	MasterPort                int
	Priority                  int
	Followers                 []Follower
	// NeedsReplicas says that min-replicas-to-write is in force.
	NeedsReplicas bool
	// Keys is true when some database has keys.
	Keys bool
}

// Follower is one replica in the words of its master.
type Follower struct {
	Host   string
	Port   int
	Online bool
	Offset int64 // as the replica last acknowledged it, once a second
	Lag    int64 // seconds since that acknowledgement
}

// IsMaster reports the role.
func (i Info) IsMaster() bool { return i.Role == "master" }

// IsReplica reports the role.
func (i Info) IsReplica() bool { return i.Role == "slave" }

// End is the offset up to which a replica holds the stream of its master.
func (i Info) End() int64 {
	if i.IsMaster() {
		return i.Offset
	}
	return max(i.ReadOffset, i.AppliedOffset, i.Offset)
}

// Applied is the offset up to which the data set has the stream: End, without what was read and not executed yet.
func (i Info) Applied() int64 {
	return max(i.AppliedOffset, i.Offset)
}

// ParseInfo reads the text of INFO. Lines it does not know are skipped, so that newer servers are understood too.
func ParseInfo(text string) Info {
	info := Info{Priority: defaultPriority, LastIO: -1}
	for line := range strings.Lines(text) {
		key, value, found := strings.Cut(strings.TrimRight(line, "\r\n"), ":")
		if !found {
			continue
		}
		info.set(key, value)
	}
	return info
}

// defaultPriority is what a server that says nothing has.
const defaultPriority = 100

func (i *Info) set(key, value string) {
	switch key {
	case "run_id":
		i.RunID = value
	case "role":
		i.Role = value
	case "master_replid":
		i.ReplID = value
	case "master_replid2":
		i.ReplID2 = meaningfulID(value)
	case "second_repl_offset":
		i.SecondOffset = number(value)
	case "master_repl_offset":
		i.Offset = number(value)
	case "slave_read_repl_offset":
		i.ReadOffset = number(value)
	case "slave_repl_offset":
		i.AppliedOffset = number(value)
	case "slave_priority":
		i.Priority = int(number(value))
	case "min_slaves_good_slaves":
		i.NeedsReplicas = true
	default:
		i.setLink(key, value)
	}
}

func (i *Info) setLink(key, value string) {
	switch key {
	case "master_link_status":
		i.LinkUp = value == "up"
	case "master_sync_in_progress":
		i.Syncing = value == "1"
	case "loading", "async_loading":
		i.Loading = i.Loading || value == "1"
	case "master_last_io_seconds_ago":
		i.LastIO = number(value)
	case "master_host":
		i.MasterHost = value
	case "master_port":
		i.MasterPort = int(number(value))
	default:
		if rest, isFollower := strings.CutPrefix(key, "slave"); isFollower && isDigits(rest) {
			i.Followers = append(i.Followers, parseFollower(value))
		}
		if rest, isDatabase := strings.CutPrefix(key, "db"); isDatabase && isDigits(rest) {
			i.Keys = true
		}
	}
}

// parseFollower reads ip=127.0.0.1,port=7001,state=online,offset=14,lag=1.
func parseFollower(text string) Follower {
	var f Follower
	for field := range strings.SplitSeq(text, ",") {
		key, value, _ := strings.Cut(field, "=")
		switch key {
		case "ip":
			f.Host = value
		case "port":
			f.Port = int(number(value))
		case "state":
			f.Online = value == "online"
		case "offset":
			f.Offset = number(value)
		case "lag":
			f.Lag = number(value)
		}
	}
	return f
}

// meaningfulID drops the forty zeros by which a server says that there is no such id.
func meaningfulID(id string) string {
	if strings.Trim(id, "0") == "" {
		return ""
	}
	return id
}

func number(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0
	}
	return n
}

func isDigits(text string) bool {
	return text != "" && strings.Trim(text, "0123456789") == ""
}

// splitAddress returns host and port of a TCP address; a unix address has neither.
func splitAddress(address string) (host string, port int) {
	if strings.HasPrefix(address, unixPrefix) {
		return "", 0
	}
	host, text, err := net.SplitHostPort(address)
	if err != nil {
		return address, 0
	}
	return host, int(number(text))
}
