//go:build linux

package main

import "testing"

func TestSub_KnowsWhatHasComeBefore(t *testing.T) {
	var s sub
	for i, step := range []struct {
		seq  uint32
		want arrival
	}{{1, inOrder}, {3, inOrder}, {2, outOfOrder}, {2, duplicate}, {3, duplicate}, {1, duplicate}, {200, inOrder}, {4, outOfOrder}, {200, duplicate}} {
		if got := s.arrive(step.seq); got != step.want {
			t.Errorf("step %d, number %d: got %d, want %d", i, step.seq, got, step.want)
		}
	}
	s.forget()
	if got := s.arrive(1); got != inOrder {
		t.Errorf("after forgetting: got %d", got)
	}
}
