package chaos

import (
	"hash/fnv"
	"math/rand/v2"
	"strconv"
)

// schedule is what one run does: for each flavour of rig its cycles, in an order that the seed decides.
func schedule(seed uint64, counts map[string]int) [][]task {
	var flavours []flavour
	tasks := make(map[flavour][]task)
	for _, f := range faults() {
		for n := range counts[f.name] {
			if len(tasks[f.flavour]) == 0 {
				flavours = append(flavours, f.flavour)
			}
			tasks[f.flavour] = append(tasks[f.flavour], newTask(seed, f, n))
		}
	}
	rng := rand.New(rand.NewPCG(seed, 0))
	var all [][]task
	for _, fl := range flavours {
		list := tasks[fl]
		rng.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		all = append(all, list)
	}
	return all
}

// newTask is the n-th cycle of a fault. Its seed depends on nothing but the seed of the run and its name, so that it can be run
// again alone.
func newTask(seed uint64, f fault, n int) task {
	name := f.name + "-" + strconv.Itoa(n)
	h := fnv.New64a()
	_, _ = h.Write([]byte(name)) // a hash takes everything
	return task{name: name, fault: f, seed: seed ^ h.Sum64()}
}

// find is the one task that a failure named.
func find(seed uint64, name string) (task, bool) {
	for _, f := range faults() {
		if len(name) > len(f.name)+1 && name[:len(f.name)+1] == f.name+"-" {
			if n, err := strconv.Atoi(name[len(f.name)+1:]); err == nil {
				return newTask(seed, f, n), true
			}
		}
	}
	return task{}, false
}

// share is the part of a list that one of several jobs does: every jobs-th task.
func share(list []task, job, jobs int) (mine []task) {
	for i := job; i < len(list); i += jobs {
		mine = append(mine, list[i])
	}
	return mine
}
