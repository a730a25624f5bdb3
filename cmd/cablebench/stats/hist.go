//go:build linux

// Package stats holds the measuring tools shared by the load generator and the
// limit program: a log-linear histogram and readers for /proc.
package stats

import "math/bits"

const (
	subBits = 6 // 64 sub-buckets per power of two: at most 1.6 % error
	subN    = 1 << subBits
	buckets = (64 - subBits + 1) * subN
)

// Hist is a fixed-size log-linear histogram of non-negative int64 values.
// It never allocates after creation and is not safe for concurrent use.
type Hist struct {
	n   uint64
	sum float64
	min int64
	max int64
	b   [buckets]uint32
}

func NewHist() *Hist { return &Hist{min: -1} }

func bucketOf(v uint64) int {
	if v < subN {
		return int(v)
	}
	e := bits.Len64(v) - subBits - 1
	return (e+1)*subN + int(v>>uint(e)) - subN
}

func valueOf(i int) int64 {
	if i < subN {
		return int64(i)
	}
	e := i/subN - 1
	low := int64(i%subN+subN) << uint(e)
	return low + (int64(1)<<uint(e))/2
}

func (h *Hist) Add(v int64) {
	if v < 0 {
		v = 0
	}
	h.n++
	h.sum += float64(v)
	if h.min < 0 || v < h.min {
		h.min = v
	}
	if v > h.max {
		h.max = v
	}
	h.b[bucketOf(uint64(v))]++
}

func (h *Hist) Merge(o *Hist) {
	if o == nil || o.n == 0 {
		return
	}
	h.n += o.n
	h.sum += o.sum
	if h.min < 0 || (o.min >= 0 && o.min < h.min) {
		h.min = o.min
	}
	if o.max > h.max {
		h.max = o.max
	}
	for i, c := range o.b {
		h.b[i] += c
	}
}

func (h *Hist) Reset() { *h = Hist{min: -1} }

func (h *Hist) Count() uint64 { return h.n }

// Quantile returns the value below which a share q (0..1) of the samples lies.
func (h *Hist) Quantile(q float64) int64 {
	if h.n == 0 {
		return 0
	}
	want := uint64(q * float64(h.n))
	if want >= h.n {
		return h.max
	}
	var seen uint64
	for i, c := range h.b {
		seen += uint64(c)
		if seen > want {
			v := valueOf(i)
			if v > h.max {
				v = h.max
			}
			if v < h.min {
				v = h.min
			}
			return v
		}
	}
	return h.max
}

// Summary is the JSON form of a histogram of nanosecond values, in microseconds.
type Summary struct {
	Count uint64  `json:"count"`
	Mean  float64 `json:"mean_us"`
	Min   float64 `json:"min_us"`
	P50   float64 `json:"p50_us"`
	P95   float64 `json:"p95_us"`
	P99   float64 `json:"p99_us"`
	Max   float64 `json:"max_us"`
}

func (h *Hist) Summary() Summary {
	if h.n == 0 {
		return Summary{}
	}
	us := func(v int64) float64 { return float64(v) / 1e3 }
	return Summary{
		Count: h.n, Mean: h.sum / float64(h.n) / 1e3, Min: us(h.min),
		P50: us(h.Quantile(.50)), P95: us(h.Quantile(.95)), P99: us(h.Quantile(.99)), Max: us(h.max),
	}
}
