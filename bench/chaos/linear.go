package chaos

import (
	"slices"

	"github.com/anishathalye/porcupine"
)

// livedMax bounds the values that a rollback model remembers. A failover that takes more than this many writes of one key along is
// far beyond what any receipt here declares.
const livedMax = 64

// lived is a register together with the values it had before, newest last.
type lived []past

type past struct {
	value string
	acked bool
}

// rollbackModel is a register with failovers. Each may bring an older value back, if no more acknowledged writes than its
// operation allows lie behind it; writes of unknown outcome may go without being counted, even if somebody has read them, because
// nobody was promised them. Everything else must be linearizable, so the new master's value is a prefix of the old one's history.
func rollbackModel() porcupine.Model {
	model := porcupine.NondeterministicModel{
		Init:  func() []any { return []any{lived{{acked: true}}} },
		Equal: func(a, b any) bool { return slices.Equal(a.(lived), b.(lived)) },
		Step: func(state, input, output any) []any {
			values, in := state.(lived), input.(touch)
			switch in.kind {
			case 'w':
				values = append(slices.Clone(values), past{in.value, in.acked})
				return []any{values[max(0, len(values)-livedMax):]}
			case 'r':
				if output.(string) == values[len(values)-1].value {
					return []any{values}
				}
				return nil
			}
			return values.rollback(in.back)
		},
	}
	return model.ToModel()
}

// rollback lists what a failover may leave when it may take so many acknowledged writes along.
func (l lived) rollback(back int) (next []any) {
	for n := len(l); n > 0; n-- {
		next = append(next, l[:n])
		if l[n-1].acked {
			back--
		}
		if back < 0 {
			break
		}
	}
	return next
}
