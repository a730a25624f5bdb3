package bridge

import "unique"

// intern has one copy of a string that many hold: identifiers and broadcastings are the same for all in a room. The
// copy goes when the last holder has.
func intern[T ~string](s T) T { return T(unique.Make(string(s)).Value()) }
