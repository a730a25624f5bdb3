package main

import "testing"

func TestTrimmer_FreesOnceWhenABurstIsOver(t *testing.T) {
	allocated, freed := uint64(0), 0
	trim := &trimmer{allocated: func() uint64 { return allocated }, free: func() { freed++ }}
	for i, step := range []struct {
		bytes uint64 // allocated since the last look
		freed int    // in all
	}{
		{quietBytes, 0},               // nothing has happened
		{worthBytes, 0}, {8 << 20, 0}, // a burst
		{quietBytes, 1},         // is over
		{0, 1}, {quietBytes, 1}, // and nothing comes after it
		{worthBytes, 1}, {0, 2}, {0, 2}, // until the next one
	} {
		allocated += step.bytes
		if trim.look(); freed != step.freed {
			t.Fatalf("step %d: freed %d times, want %d", i, freed, step.freed)
		}
	}
}

func TestTrimmer_CountsWhatIsAllocated(t *testing.T) {
	before := allocatedBytes()
	kept := make([]byte, 1<<20)
	if got := allocatedBytes() - before; got < uint64(len(kept)) {
		t.Errorf("got %d bytes, want at least %d", got, len(kept))
	}
}
