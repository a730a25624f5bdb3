//go:build linux

package main

import "testing"

func TestPage_ComparesSeveralSubscriptionsWithOne(t *testing.T) {
	r := drive(t, newFake(t), "page", "-n", "4", "-subs", "10", "-warmup", "1", "-pause", "0")
	want(t, r, "pages", 4)
	want(t, r, "subs", 10)
	want(t, r, "failed_attempts", 0)
	for _, kind := range []string{"one", "all"} {
		times, _ := r[kind].(map[string]any)
		if times["count"] != 3.0 { // each page counts once, and the first is for warming up
			t.Errorf("%s: %v pages, want 3", kind, times["count"])
		}
	}
}
