//go:build linux

package stats

import (
	"math/rand"
	"sort"
	"testing"
)

func TestHist_QuantilesAreWithinTwoPercent(t *testing.T) {
	h := NewHist()
	r := rand.New(rand.NewSource(1))
	var all []int64
	for i := 0; i < 50000; i++ {
		v := int64(r.ExpFloat64() * 1e6)
		all = append(all, v)
		h.Add(v)
	}
	sort.Slice(all, func(i, j int) bool { return all[i] < all[j] })
	for _, q := range []float64{.01, .5, .95, .99, .999} {
		want := all[int(q*float64(len(all)))]
		got := h.Quantile(q)
		if d := float64(got-want) / float64(want); d > .02 || d < -.02 {
			t.Errorf("q%v: got %d want %d", q, got, want)
		}
	}
	if h.Quantile(1) != all[len(all)-1] {
		t.Error("max")
	}
	for i := 1; i < buckets; i++ {
		if bucketOf(uint64(valueOf(i))) != i {
			t.Fatalf("bucket %d maps to %d", i, bucketOf(uint64(valueOf(i))))
		}
	}
}
