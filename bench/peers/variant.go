package peers

import (
	"os"
	"slices"
)

// Variants of Holdfast: what the table knows about Holdfast by TCP and as the user of the bench is asked again for them. They
// take part only in the cells of their own rows, so that they cost the run little.
const (
	overUnix     = "holdfast, unix socket"
	ordinaryUser = "holdfast, ordinary user"
	crowdedUser  = "holdfast, ordinary user, no pipes left"
)

var variants = []string{overUnix, ordinaryUser, crowdedUser}

const (
	// ordinaryID is nobody on every Linux. Its pipe memory is limited, that of root is not.
	ordinaryID = 65534
	// crowdedID is another user, as the limit counts all processes of one: what is taken here must not be missed there.
	crowdedID = 65533
)

// OwnProgram starts this program for every user, also for one who may not enter the directory it lies in.
const OwnProgram = "/proc/self/exe"

// variantRecipes all run the same program with the same settings as Holdfast itself.
func variantRecipes(o Options, own recipe) []recipe {
	unix, ordinary := own, own
	unix.name, unix.unix = overUnix, true
	ordinary.name, ordinary.user, ordinary.program = ordinaryUser, ordinaryID, OwnProgram
	if len(o.HoldPipes) == 0 {
		return []recipe{unix, ordinary}
	}
	crowded := ordinary
	crowded.name, crowded.user, crowded.crowd = crowdedUser, crowdedID, o.HoldPipes
	return []recipe{unix, ordinary, crowded}
}

// permitted says whether the bench may start it: only root starts processes of other users.
func (r recipe) permitted() bool { return r.user == 0 || os.Geteuid() == 0 }

// asksFor says whether a row needs a contender in a cell; an empty cell stands for any. The peers are in all of them.
func asksFor(list []row, contender, cell string) bool {
	return !slices.Contains(variants, contender) ||
		slices.ContainsFunc(list, func(r row) bool { return r.variant == contender && (cell == "" || r.cell == cell) })
}

// inCell are the targets that take part in a cell.
func inCell(targets []*target, list []row, cell string) []*target {
	return slices.DeleteFunc(slices.Clone(targets), func(t *target) bool { return !asksFor(list, t.name, cell) })
}
