package rpc

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// queue makes somebody wait in each lane of the line, in that order, and returns what they report when they are in.
func queue(t *testing.T, p *places, line ...lane) (entered <-chan lane) {
	t.Helper()
	in := make(chan lane, len(line))
	for i, l := range line {
		go func() {
			if err := p.take(context.Background(), l); err != nil {
				return
			}
			in <- l
		}()
		for _, waiting := p.counts(); waiting <= i; _, waiting = p.counts() {
			runtime.Gosched()
		}
	}
	return in
}

// spell is lanes as letters.
func spell(order []lane) string {
	var b strings.Builder
	for _, l := range order {
		b.WriteByte("cnd"[l])
	}
	return b.String()
}

func TestPlaces_AnAvalancheOfConnectsDoesNotStarveCommands(t *testing.T) {
	p := newPlaces(1)
	if err := p.take(t.Context(), laneCommands); err != nil {
		t.Fatal(err)
	}
	line := slices.Concat(slices.Repeat([]lane{laneDisconnects}, 10), slices.Repeat([]lane{laneConnects}, 20), slices.Repeat([]lane{laneCommands}, 12))
	entered := queue(t, p, line...)
	p.release(laneCommands)
	var order []lane
	for range line {
		l := <-entered
		order = append(order, l)
		p.release(l)
	}
	for _, round := range []string{spell(order[:10]), spell(order[10:20])} {
		if strings.Count(round, "c") != 6 || strings.Count(round, "n") != 3 || strings.Count(round, "d") != 1 {
			t.Errorf("while all wait: got %s, want 6 c, 3 n and 1 d", round)
		}
		if strings.Contains(round, "nn") || strings.Contains(round, "cccc") {
			t.Errorf("the shares are not spread: %s", round)
		}
	}
	if got := spell(order[20:]); strings.Contains(got, "c") {
		t.Errorf("a command was left for the end: %s", got)
	}
}

func TestPlaces_EachLaneIsFirstComeFirstServed(t *testing.T) {
	p := newPlaces(1)
	if err := p.take(t.Context(), laneConnects); err != nil {
		t.Fatal(err)
	}
	var order []int
	turn := make(chan int)
	for i := range 5 {
		go func() {
			if p.take(context.Background(), laneConnects) == nil {
				turn <- i
			}
		}()
		for _, waiting := p.counts(); waiting <= i; _, waiting = p.counts() {
			runtime.Gosched()
		}
	}
	for range 5 {
		p.release(laneConnects)
		order = append(order, <-turn)
	}
	if got, want := order, []int{0, 1, 2, 3, 4}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestPlaces_OneIsKeptForCommands(t *testing.T) {
	p := newPlaces(3)
	for _, l := range []lane{laneConnects, laneDisconnects} {
		if err := p.take(t.Context(), l); err != nil {
			t.Fatal(err)
		}
	}
	entered := queue(t, p, laneConnects)
	if taken, waiting := p.counts(); taken != 2 || waiting != 1 {
		t.Fatalf("got %d taken and %d waiting, want 2 and 1", taken, waiting)
	}
	if err := p.take(t.Context(), laneCommands); err != nil {
		t.Fatal(err)
	}
	p.release(laneCommands)
	if taken, _ := p.counts(); taken != 2 {
		t.Fatalf("a connect took the place of commands: %d are taken", taken)
	}
	p.release(laneDisconnects)
	if got := <-entered; got != laneConnects {
		t.Errorf("got lane %d", got)
	}
}

func TestPlaces_WhoLeavesLosesNoPlace(t *testing.T) {
	p := newPlaces(1)
	if err := p.take(t.Context(), laneCommands); err != nil {
		t.Fatal(err)
	}
	reason := errors.New("the client is gone")
	ctx, leave := context.WithCancelCause(t.Context())
	left := make(chan error)
	go func() { left <- p.take(ctx, laneCommands) }()
	for _, waiting := p.counts(); waiting == 0; _, waiting = p.counts() {
		runtime.Gosched()
	}
	leave(reason)
	if got := <-left; !errors.Is(got, reason) {
		t.Errorf("got %v, want %v", got, reason)
	}
	p.release(laneCommands)
	if taken, waiting := p.counts(); taken != 0 || waiting != 0 {
		t.Errorf("got %d taken and %d waiting, want none", taken, waiting)
	}
}

func TestPlaces_ResizeLetsInWhoWaits(t *testing.T) {
	p := newPlaces(1)
	if err := p.take(t.Context(), laneCommands); err != nil {
		t.Fatal(err)
	}
	entered := queue(t, p, laneCommands)
	p.resize(2)
	<-entered
	p.resize(1)
	p.release(laneCommands)
	if taken, _ := p.counts(); taken != 1 {
		t.Errorf("got %d taken, want 1", taken)
	}
	again := queue(t, p, laneCommands)
	if _, waiting := p.counts(); waiting != 1 {
		t.Errorf("got %d waiting, want 1: the one place is taken", waiting)
	}
	p.release(laneCommands)
	<-again
}

func TestPlaces_CloseSendsAwayWhoWaits(t *testing.T) {
	p := newPlaces(1)
	if err := p.take(t.Context(), laneCommands); err != nil {
		t.Fatal(err)
	}
	sent := make(chan error)
	go func() { sent <- p.take(context.Background(), laneConnects) }()
	for _, waiting := p.counts(); waiting == 0; _, waiting = p.counts() {
		runtime.Gosched()
	}
	p.close()
	if got := <-sent; !errors.Is(got, ErrClosed) {
		t.Errorf("got %v, want %v", got, ErrClosed)
	}
	if got := p.take(t.Context(), laneCommands); !errors.Is(got, ErrClosed) {
		t.Errorf("later: got %v, want %v", got, ErrClosed)
	}
}

func BenchmarkPlaces(b *testing.B) {
	p := newPlaces(5)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if p.take(context.Background(), laneCommands) == nil {
				p.release(laneCommands)
			}
		}
	})
}
