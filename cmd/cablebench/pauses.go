//go:build linux

package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// pauses are those of the server's garbage collector, as its metrics count them.
type pauses struct {
	collections float64
	upTo        []pausesUpTo // in order; the last bound is +Inf
}

type pausesUpTo struct{ bound, count float64 } // seconds; of all that were no longer

// pausesResult is what was added to them in a measurement.
type pausesResult struct {
	Collections float64 `json:"collections"`
	Pauses      float64 `json:"pauses"`           // a collection has two
	P99         float64 `json:"p99_us,omitempty"` // at most: the end of its bucket
	Max         float64 `json:"max_us,omitempty"` // the same
}

// pauses asks the server; nil where -metrics does not say how.
func (c *config) pauses() (*pauses, error) {
	if c.metrics == "" {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.metrics, http.NoBody)
	if err != nil {
		return nil, err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", c.metrics, answer.Status)
	}
	return readPauses(answer.Body)
}

func readPauses(text io.Reader) (*pauses, error) {
	p := new(pauses)
	for lines := bufio.NewScanner(text); lines.Scan(); {
		name, text, _ := strings.Cut(lines.Text(), " ")
		bound, ofPauses := strings.CutPrefix(name, `cablestay_gc_pause_seconds_bucket{le="`)
		if !ofPauses && name != "go_gc_duration_seconds_count" {
			continue
		}
		value, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return nil, err
		}
		if !ofPauses {
			p.collections = value
			continue
		}
		seconds, err := strconv.ParseFloat(strings.TrimSuffix(bound, `"}`), 64)
		if err != nil {
			return nil, err
		}
		p.upTo = append(p.upTo, pausesUpTo{seconds, value})
	}
	if len(p.upTo) == 0 || !math.IsInf(p.upTo[len(p.upTo)-1].bound, 1) {
		return nil, fmt.Errorf("-metrics has no cablestay_gc_pause_seconds")
	}
	return p, nil
}

// since is what came after an earlier look.
func (p *pauses) since(earlier *pauses) *pausesResult {
	if p == nil || earlier == nil {
		return nil
	}
	upTo := slices.Clone(p.upTo)
	for i := range upTo {
		upTo[i].count -= earlier.upTo[i].count
	}
	all := upTo[len(upTo)-1].count
	r := &pausesResult{Collections: p.collections - earlier.collections, Pauses: all}
	for _, each := range slices.Backward(upTo) {
		if each.count == all {
			r.Max = microseconds(each.bound)
		}
		if each.count >= .99*all {
			r.P99 = microseconds(each.bound)
		}
	}
	if all == 0 {
		r.Max, r.P99 = 0, 0
	}
	return r
}

// microseconds makes of what is longer than every bound a number that JSON can say.
func microseconds(seconds float64) float64 { return min(seconds*1e6, math.MaxInt32) }

func (r *pausesResult) String() string {
	return fmt.Sprintf("collections %.0f, pauses %.0f, p99 <= %s, max <= %s", r.Collections, r.Pauses, us(r.P99), us(r.Max))
}

// setMetrics takes a URL on this machine.
func (c *config) setMetrics(text string) error {
	if text == "" {
		return nil
	}
	u, err := url.Parse(text)
	if err != nil {
		return err
	}
	c.metrics = text
	return loopbackOnly(u.Host)
}
